// Package civilid knows the form of mainland identity numbers (GB 11643): what
// can be checked without asking anybody.
package civilid

import "strings"

var weights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// CheckDigit reports whether s is 17 digits followed by the right check
// character (ISO 7064 MOD 11-2; x counts as X).
func CheckDigit(s string) bool {
	if len(s) != 18 {
		return false
	}
	sum := 0
	for i, w := range weights {
		d := int(s[i] - '0')
		if s[i] < '0' || s[i] > '9' {
			return false
		}
		sum += d * w
	}
	return strings.ToUpper(s[17:]) == string("10X98765432"[sum%11])
}
