package api

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
)

// CheckSharedSight counts what a sight asks for.
func CheckSharedSight(t *testing.T) {
	t.Helper()
	marks, reads, mark, now := 0, 0, "a", time.Unix(1000, 0)
	versions := map[string]int64{"x": 1, "y": 1}
	kinds := []watched{{
		"thing",
		func(context.Context, account.ID) (string, error) { marks++; return mark, nil },
		func(context.Context, account.ID) (map[string]int64, error) { reads++; return versions, nil },
	}}
	var s sight
	look := func() seen {
		got, err := s.look(context.Background(), kinds, "acc", now)
		if err != nil {
			t.Fatal(err)
		}
		return got[0]
	}
	first := look()
	for range 31 {
		look()
	}
	now = now.Add(eventEvery)
	if look(); marks != 2 || reads != 1 {
		t.Errorf("%d marks and %d readings, want 2 and 1", marks, reads)
	}
	now, mark, versions = now.Add(eventEvery), "b", map[string]int64{"x": 2}
	got := map[string]int64{}
	for _, e := range changesOf(first, look()) {
		got[e.ID] = e.Version
	}
	if diff := cmp.Diff(map[string]int64{"x": 2, "y": 0}, got); diff != "" {
		t.Error(diff)
	}
}
