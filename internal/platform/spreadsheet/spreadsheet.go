// Package spreadsheet makes text fit to be opened by a spreadsheet program.
//
// It is not for writing files: encoding/csv does.
package spreadsheet

import (
	"strings"
	"unicode/utf8"
)

// Cell keeps a spreadsheet from running a cell as a formula, by an apostrophe
// before it. Full-width signs count too: spreadsheets of East Asian languages take
// them for the narrow ones.
func Cell(text string) string {
	if first, size := utf8.DecodeRuneInString(text); size > 0 && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + text
	}
	return text
}
