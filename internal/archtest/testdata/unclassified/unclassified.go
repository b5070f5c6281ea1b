// Package unclassified is a planted tree: each line with a comment leaves the
// process with something that no register knows.
package unclassified

import (
	"context"
	"log/slog"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
)

type visit struct {
	Order  string
	Phones []struct{ Phone string }
}

type good struct {
	Order  string `json:"Order"`
	hidden string
	Extra  string `json:"-"`
}

const listed, unlisted = "order", "email"

func planted(ctx context.Context, tx *db.Tx, q *job.Queue, log *slog.Logger, door *egress.Egress, key string, args []any, labels []string) {
	log.Info("good", listed, 1, slog.String("order", key), slog.Group("session", "order", 1), "error", nil)
	log.InfoContext(ctx, "bad", "order", 1, unlisted, 2)        // want email
	log.With("phone", key).Info("bad")                          // want phone
	log.Warn("bad", slog.Int("age", 1))                         // want age
	log.Warn("bad", slog.Group("session", "address", 1))        // want address
	slog.Error("bad", key, 1)                                   // want constant
	log.LogAttrs(ctx, slog.LevelInfo, "x", slog.Attr{Key: key}) // want constant
	log.WithGroup("person").Info("bad")                         // want person
	log.Info("bad", args...)                                    // want handed

	_ = q.PublishTx(ctx, tx, "topic", good{"a", "b", "c"})
	_ = q.PublishTx(ctx, tx, "topic", visit{})                      // want Phones and Phone
	_ = q.EnqueueTx(ctx, tx, job.Job{Kind: "k", Payload: &visit{}}) // want Phones and Phone
	_ = q.EnqueueTx(ctx, tx, job.Job{Kind: "k", Payload: key})      // want named

	_, _ = door.Begin(ctx, egress.Call{Recipient: "x", Fields: []string{"order_no"}})
	_, _ = door.Begin(ctx, egress.Call{Recipient: "x", Fields: []string{"order_no", "card_no"}}) // want card_no

	_ = metric.Family{Name: "x", Labels: []string{"node", "customer"}} // want customer
	_ = metric.Family{Name: "x", Labels: labels}                       // want not written here
}

var _ = planted
