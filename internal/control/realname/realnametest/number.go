// Package realnametest makes identity numbers for tests.
//
// They have the right form and check character but belong to nobody: 110000 is
// a whole province-level city, and numbers are issued by counties.
package realnametest

import (
	"fmt"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
)

// Region is the first six digits of every number made here.
const Region = "110000"

// Number returns the number of an invented person born on a day; seq, 0 to 999,
// tells them apart.
func Number(birth time.Time, seq int) string {
	return civilid.Complete(Region + birth.Format("20060102") + fmt.Sprintf("%03d", seq%1000))
}
