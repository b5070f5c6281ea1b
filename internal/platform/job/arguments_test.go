package job_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/field"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

type inner struct {
	At    int64
	Phone string
}

// What no register knows does not become a row, at whatever depth it stands.
func TestAnUnclassifiedArgumentIsNotEnqueued(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, _ := newQueue(d)
		ctx := context.Background()
		for name, c := range map[string]struct {
			payload any
			good    bool
		}{
			"nothing":          {nil, true},
			"listed names":     {struct{ Order, Account string }{"ord_1", "acc_1"}, true},
			"an unlisted name": {struct{ Order, Email string }{"ord_1", "a@example.org"}, false},
			"a map":            {map[string]string{"Order": "ord_1", "phone": "1"}, false},
			"one inside":       {struct{ Order []inner }{[]inner{{1, "1"}}}, false},
			"no name at all":   {"a@example.org", false},
			"a list":           {[]string{"a@example.org"}, false},
		} {
			err := d.InTx(ctx, func(tx *db.Tx) error { return q.EnqueueTx(ctx, tx, job.Job{Kind: "k", Payload: c.payload}) })
			if c.good != (err == nil) || !c.good && !errors.Is(err, field.ErrUnclassified) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if depth, err := q.Depth(ctx); err != nil || depth.Due != 2 {
			t.Errorf("got %+v, %v, want the two good ones", depth, err)
		}
	}, job.Migrations())
}

// The start asks Verify: a handler of something unclassified is named.
func TestAHandlerOfAnUnclassifiedArgumentIsRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, _ := newQueue(d)
		job.On(q, "good", func(context.Context, task) error { return nil })
		job.Subscribe(q, "good", "too", func(context.Context, struct {
			Order string `json:"Order"`
			seen  bool
		},
		) error {
			return nil
		})
		if err := q.Verify(); err != nil {
			t.Errorf("got %v, want none", err)
		}
		job.On(q, "bad", func(context.Context, struct{ Order []inner }) error { return nil })
		job.On(q, "worse", func(context.Context, string) error { return nil })
		err := q.Verify()
		if !errors.Is(err, field.ErrUnclassified) || !strings.Contains(err.Error(), `job bad: "Phone"`) || !strings.Contains(err.Error(), "job worse") {
			t.Errorf("got %v", err)
		}
	}, job.Migrations())
}
