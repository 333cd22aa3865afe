/*
 * xml.h - any bytes as text in XML
 *
 * Beside the house (tools/say).  May use: base, print.  Used by:
 * check-junit.c.
 */
#ifndef SAY_XML_H
#define SAY_XML_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Write @text so that a parser reads it back; what XML 1.0 cannot have at all
 * (control characters, what is no UTF-8) becomes U+FFFD.  @attribute: it
 * stands between quotes, where line ends would become blanks.
 */
void xml_put(FILE *to, const char *text, bool attribute);

#endif
