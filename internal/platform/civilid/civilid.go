// Package civilid knows the form of mainland identity numbers (GB 11643): what
// can be checked without asking anybody.
package civilid

import "strings"

var weights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

// CheckDigit reports whether s is 17 digits followed by the right check
// character (ISO 7064 MOD 11-2; x counts as X).
func CheckDigit(s string) bool {
	return len(s) == 18 && Complete(s[:17]) == strings.ToUpper(s)
}

// Complete appends the check character to 17 digits; "" if they are not.
func Complete(digits string) string {
	if len(digits) != 17 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	sum := 0
	for i, w := range weights {
		sum += int(digits[i]-'0') * w
	}
	return digits + string("10X98765432"[sum%11])
}
