package app

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
)

func TestTheBoardShowsEveryClause(t *testing.T) {
	t.Parallel()
	var text, machine strings.Builder
	if err := errors.Join(PolicyBoard(&text, false), PolicyBoard(&machine, true)); err != nil {
		t.Fatal(err)
	}
	var rows []boardRow
	if err := json.Unmarshal([]byte(machine.String()), &rows); err != nil || len(rows) != 95 {
		t.Fatalf("got %d rows, %v", len(rows), err)
	}
	for _, r := range rows {
		if !strings.Contains(text.String(), r.ID+" ") {
			t.Errorf("%s is not on the board", r.ID)
		}
	}
	if !strings.Contains(text.String(), "95 clauses: ") {
		t.Errorf("no sum: %.100s", text.String())
	}
}

func TestLintKnowsItsProfiles(t *testing.T) {
	t.Parallel()
	if err := PolicyLint("elsewhere", time.Now(), false, io.Discard); err == nil || errors.Is(err, ErrPromises) {
		t.Errorf("got %v", err)
	}
}

// A text that promises what nothing keeps is told, clause by clause.
func TestLintNamesWhatNothingKeeps(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{consent.Mainland, consent.HongKong} {
		var out strings.Builder
		err := PolicyLint(profile, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC), false, &out)
		if !errors.Is(err, ErrPromises) || !strings.Contains(out.String(), "LT-4.2 is promised and nothing enforces it\n") {
			t.Errorf("%s: got %v, %.300s", profile, err, out.String())
		}
		if strings.Contains(out.String(), "LT-1.1a ") {
			t.Errorf("%s: a clause that is kept is told", profile)
		}
	}
}
