/*
 * segment.c - the layout that segment.h tells is the one that is compiled
 *
 * Files are read by other builds and on other machines: where a size would
 * differ, no heaptide is made.
 */
#include "base/segment.h"

#define SIZE(what, bytes) _Static_assert(sizeof(what) == (bytes), "layout")

SIZE(struct timed, 32);
SIZE(struct life, 128);
SIZE(struct segment_head, 64);
SIZE(struct segment_table, 32);
SIZE(struct segment_identity, 192);
SIZE(struct segment_config, 64);
SIZE(struct segment_live, 192);
SIZE(struct segment_lost, 128);
SIZE(struct segment_end, 64);
SIZE(struct segment_rss, 128);
SIZE(struct segment_span, 16);
SIZE(struct segment_objects, 64);
SIZE(struct segment_bypass, 256);
SIZE(struct segment_watch, 256);
SIZE(struct segment_generations, 320);
SIZE(struct segment_scan, 192);
SIZE(struct segment, 8128);
SIZE(struct tally, 192);
SIZE(struct node, 16);
SIZE(struct named, 32);
SIZE(struct seal, 8);
SIZE(struct site, 16);
SIZE(struct count, 64);
SIZE(struct estimate, 64);
SIZE(struct module, 64);
SIZE(struct mapping, 32);
SIZE(struct point, 128);
SIZE(struct mark, 128);
SIZE(struct moment, 64);
SIZE(struct trend, 40);
SIZE(struct past, 56);
SIZE(struct ages, 64);
SIZE(struct passed, 16);
SIZE(struct reach, 96);
SIZE(struct finding, 64);
SIZE(struct pool, 128);

_Static_assert(sizeof(struct segment) <= SEGMENT_HEADER_BYTES, "layout");
