// Package spreadsheet makes text fit to be opened by a spreadsheet program.
//
// It is not for writing files: encoding/csv does.
package spreadsheet

import "strings"

// Cell keeps a spreadsheet from running a cell as a formula, by an apostrophe
// before it. Full-width signs count too: spreadsheets of East Asian languages take
// them for the narrow ones.
func Cell(text string) string {
	for _, first := range text {
		if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
			return "'" + text
		}
		break
	}
	return text
}
