# heaptide-header.m4 - for programs that may include heaptide.h
#
# HEAPTIDE_HEADER([IF-FOUND], [IF-NOT-FOUND])
#
# Adds --with-heaptide[=DIR] to configure: DIR is where it was installed.  Sets
# HEAPTIDE_CFLAGS, and defines HAVE_HEAPTIDE_H if the header is there.  There is
# nothing to link.  Without the header, it is said if it was asked for, and else
# passed over.
#
# serial 1
AC_DEFUN([HEAPTIDE_HEADER], [
	AC_ARG_WITH([heaptide],
		[AS_HELP_STRING([--with-heaptide@<:@=DIR@:>@],
			[ask heaptide how much memory is left (if it is there)])],
		[], [with_heaptide=check])
	AC_SUBST([HEAPTIDE_CFLAGS], [])
	heaptide_found=no
	AS_CASE([$with_heaptide],
		[no | yes | check], [],
		[HEAPTIDE_CFLAGS="-I$with_heaptide/include"])
	AS_IF([test "$with_heaptide" != no], [
		heaptide_saved=$CPPFLAGS
		CPPFLAGS="$CPPFLAGS $HEAPTIDE_CFLAGS"
		AC_CHECK_HEADERS([heaptide.h], [heaptide_found=yes])
		CPPFLAGS=$heaptide_saved
	])
	AS_CASE([$heaptide_found,$with_heaptide],
		[yes,*], [$1],
		[no,no | no,check], [HEAPTIDE_CFLAGS=
			$2],
		[AC_MSG_FAILURE([heaptide.h is not there; --without-heaptide goes on])])
])
