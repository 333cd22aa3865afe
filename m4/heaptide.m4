# HEAPTIDE_FLAGS(VARIABLE, LANGUAGE, FLAGS)
# -----------------------------------------
# Put those of FLAGS that the compiler of LANGUAGE knows into VARIABLE.
AC_DEFUN([HEAPTIDE_FLAGS], [
	AC_LANG_PUSH([$2])
	heaptide_saved=$[]_AC_LANG_PREFIX[]FLAGS
	$1=
	for flag in m4_normalize([$3]); do
		AC_MSG_CHECKING([whether the compiler knows $flag])
		_AC_LANG_PREFIX[]FLAGS="$heaptide_saved -Werror $flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AC_MSG_RESULT([yes])
			AS_VAR_APPEND([$1], [" $flag"])],
			[AC_MSG_RESULT([no])])
	done
	_AC_LANG_PREFIX[]FLAGS=$heaptide_saved
	AC_SUBST([$1])
	AC_LANG_POP([$2])
])
