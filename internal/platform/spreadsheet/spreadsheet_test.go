package spreadsheet_test

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/spreadsheet"
)

func TestNoCellIsAFormula(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x"} {
		if got := spreadsheet.Cell(bad); got != "'"+bad {
			t.Errorf("%q: got %q", bad, got)
		}
	}
	for _, good := range []string{"", "1.00", "pay:rcp_1", "a=b", "'x", "一"} {
		if got := spreadsheet.Cell(good); got != good {
			t.Errorf("%q: got %q", good, got)
		}
	}
}
