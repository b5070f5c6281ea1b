// Package realnametest makes identity numbers for tests and the demo.
//
// They have the right form and check character but belong to nobody: 110000 is
// a whole province-level city, and numbers are issued by counties.
package realnametest

import (
	"fmt"
	"time"
)

// Region is the first six digits of every number made here.
const Region = "110000"

// Number returns the number of an invented person born on a day; seq, 0 to 999,
// tells them apart.
func Number(birth time.Time, seq int) string {
	n := Region + birth.Format("20060102") + fmt.Sprintf("%03d", seq%1000)
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(n[i]-'0') * w
	}
	return n + string("10X98765432"[sum%11])
}
