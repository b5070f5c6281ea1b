package errs

import (
	"errors"
	"fmt"
	"testing"
)

func TestAnUnknownErrorIsInternal(t *testing.T) {
	t.Parallel()
	gone := New(NotFound, "order.not_found")
	cases := []struct {
		err  error
		kind Kind
		code string
	}{
		{errors.New("disk on fire"), Internal, "internal"},
		{gone, NotFound, "order.not_found"},
		{fmt.Errorf("reading order: %w", gone.With("id", "x")), NotFound, "order.not_found"},
		{Wrap(Conflict, "order.stale", gone), Conflict, "order.stale"},
	}
	for _, c := range cases {
		if KindOf(c.err) != c.kind || CodeOf(c.err) != c.code {
			t.Errorf("%v: got %d %s, want %d %s", c.err, KindOf(c.err), CodeOf(c.err), c.kind, c.code)
		}
	}
	if !errors.Is(gone.With("id", "x"), gone) {
		t.Error("an error with parameters is no longer its sentinel")
	}
	if gone.Params != nil {
		t.Error("With changed its receiver")
	}
}
