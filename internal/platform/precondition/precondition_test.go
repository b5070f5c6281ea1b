package precondition_test

import (
	"context"
	"errors"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/precondition"
)

func TestWhatFitsAVersion(t *testing.T) {
	t.Parallel()
	for field, fits := range map[string]bool{
		`"7"`: true, `"6", "7"`: true, `*`: true, `"6"`: false, `W/"7"`: false, `7`: false, `"07"`: false, ``: false, `"7" "8"`: false,
	} {
		err := precondition.Check(precondition.WithMatch(context.Background(), field), 7)
		if (err == nil) != fits || err != nil && !errors.Is(err, precondition.ErrFailed) {
			t.Errorf("If-Match: %s: got %v, want it to fit: %v", field, err, fits)
		}
	}
	if err := precondition.Check(context.Background(), 7); err != nil {
		t.Errorf("without a condition: %v", err)
	}
}
