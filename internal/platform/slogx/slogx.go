// Package slogx makes loggers that cannot tell what they must not: keys come
// from one list, and values that look like personal data are cut out.
//
// The list is the first net: an attribute under a key that is not on it is
// replaced by its key and "‹unlisted›". The detectors are the second: mainland
// identity numbers with a right check digit, e-mail addresses and mobile
// numbers inside messages and values become "‹removed›".
package slogx

import (
	"context"
	"io"
	"log/slog"
	"regexp"

	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/field"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Keys is the closed list of attribute keys. None is personal: a line names rows
// of ours, and whoever may look finds there whom it is about.
var Keys = field.Register{
	"account": field.ID, "attempt": field.ID, "backup": field.ID, "case": field.ID, "client": field.ID, "difference": field.ID, "gateway": field.ID, "handle": field.ID, "incident": field.ID,
	"job": field.ID, "node": field.ID, "order": field.ID, "receipt": field.ID, "refund": field.ID, "request": field.ID, "row": field.ID, "server": field.ID,
	"service": field.ID, "session": field.ID, "trade": field.ID,

	"channel": field.Code, "clause": field.Code, "code": field.Code, "day": field.Code, "device": field.Code, "disposition": field.Code, "document": field.Code, "form": field.Code,
	"kind": field.Code, "metric": field.Code, "op": field.Code, "outcome": field.Code, "process": field.Code, "reason": field.Code,
	"recipient": field.Code, "result": field.Code, "rule": field.Code, "state": field.Code, "step": field.Code, "table": field.Code, "where": field.Code,

	"count": field.Number, "lost": field.Number, "people": field.Number, "seconds": field.Number, "sensitive": field.Number, "status": field.Number,
	"times": field.Number, "tombstones": field.Number, "try": field.Number, "wait": field.Number,

	"name": field.System, "place": field.System, "uid": field.System,

	"error": field.Text, "problem": field.Text, "problems": field.Text, "stack": field.Text,

	"digest": field.Key,
}

// New returns a logger writing text lines ("text") or JSON ("json") to w.
func New(w io.Writer, form string, level slog.Leveler) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level}
	if form == "json" {
		return slog.New(&handler{slog.NewJSONHandler(w, opt)})
	}
	return slog.New(&handler{slog.NewTextHandler(w, opt)})
}

type handler struct{ next slog.Handler }

func (h *handler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Scrub(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h *handler) WithAttrs(as []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(as))
	for i, a := range as {
		clean[i] = attr(a)
	}
	return &handler{h.next.WithAttrs(clean)}
}

func (h *handler) WithGroup(name string) slog.Handler { return &handler{h.next.WithGroup(name)} }

func attr(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	if a.Value.Kind() == slog.KindGroup {
		group := a.Value.Group()
		clean := make([]slog.Attr, len(group))
		for i, g := range group {
			clean[i] = attr(g)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	}
	if Keys[a.Key] == "" && !mutant.Off("SUP-7") {
		return slog.String(a.Key, "‹unlisted›")
	}
	switch a.Value.Kind() {
	case slog.KindString, slog.KindAny:
		return slog.String(a.Key, Scrub(a.Value.String()))
	}
	return a
}

var (
	email  = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
	mobile = regexp.MustCompile(`\b1[3-9][0-9]{9}\b`)
	idcard = regexp.MustCompile(`\b[1-9][0-9]{16}[0-9Xx]\b`)
)

const removed = "‹removed›"

// Scrub cuts what looks like personal data out of a text.
func Scrub(s string) string {
	if len(s) < 6 {
		return s
	}
	s = email.ReplaceAllLiteralString(s, removed)
	s = idcard.ReplaceAllStringFunc(s, func(found string) string {
		if civilid.CheckDigit(found) {
			return removed
		}
		return found
	})
	return mobile.ReplaceAllLiteralString(s, removed)
}
