# heaptide-config.cmake - for programs that include heaptide.h
#
#	find_package(heaptide)
#	target_link_libraries(program PRIVATE heaptide::heaptide)
#
# There is nothing to link: the target brings the directory of the header.
if(NOT TARGET heaptide::heaptide)
	get_filename_component(_heaptide_prefix
		"${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
	find_path(heaptide_INCLUDE_DIR heaptide.h
		HINTS "${_heaptide_prefix}/include" NO_CACHE)
	add_library(heaptide::heaptide INTERFACE IMPORTED)
	set_target_properties(heaptide::heaptide PROPERTIES
		INTERFACE_INCLUDE_DIRECTORIES "${heaptide_INCLUDE_DIR}")
	unset(_heaptide_prefix)
endif()
