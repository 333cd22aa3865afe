# HEAPTIDE_FLAGS(VARIABLE, FLAGS)
# -------------------------------
# Put those of FLAGS that the C compiler knows into VARIABLE.
AC_DEFUN([HEAPTIDE_FLAGS], [
	heaptide_cflags=$CFLAGS
	$1=
	for flag in m4_normalize([$2]); do
		AC_MSG_CHECKING([whether $CC knows $flag])
		CFLAGS="$heaptide_cflags -Werror $flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes])
			AS_VAR_APPEND([$1], [" $flag"])],
			[AC_MSG_RESULT([no])])
	done
	CFLAGS=$heaptide_cflags
	AC_SUBST([$1])
])
