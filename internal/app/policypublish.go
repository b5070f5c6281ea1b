package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
)

// ErrUnconfirmed says that nobody agreed to a publication.
var ErrUnconfirmed = errors.New("nothing was published: nobody said yes (--yes publishes without a question)")

// PolicyDraft is what PolicyPublish is told.
type PolicyDraft struct {
	Document string
	Major    bool
	From     string    // day from which it holds, "2026-12-24"; empty = when the notice of seven days is over
	Yes      bool      // publish without a question
	JSON     bool      // answer for programs; says nothing of the differences
	Ask      io.Reader // where the answer comes from
}

// PolicyPublish publishes a document with the operator's present facts, or says
// all that stands against it. Before, it shows what differs from the version in
// force and which consents are asked anew, and asks; what is published is what it
// showed. It is the act of who may open the installation's files, as every command
// for operators is.
func PolicyPublish(ctx context.Context, cfg config.Config, d PolicyDraft, out io.Writer, log *slog.Logger) error {
	now := clock.System{}.Now()
	effective := now.Add(consent.NoticePeriod + time.Minute + patience)
	if d.From != "" {
		day, err := civil.ParseDay(d.From)
		if err != nil {
			return fmt.Errorf("the day is not like 2026-12-24: %w", err)
		}
		effective = day.Start()
	}
	s, m, err := openInstallation(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	draft := consent.Draft{Document: d.Document, Major: d.Major, EffectiveAt: effective, By: consent.Shell}
	view, err := m.consent.Preview(ctx, draft)
	if err != nil {
		return said(err)
	}
	// What is refused needs no question: Publish says why.
	if len(view.Problems) == 0 && (!view.Unchanged || d.Major) {
		if err := d.confirm(view, out); err != nil {
			return err
		}
		draft.SHA256 = view.SHA256
	}
	v, err := m.consent.Publish(ctx, draft)
	if err != nil {
		return said(err)
	}
	if d.JSON {
		return writeJSON(out, map[string]any{"document": v.Document, "version": v.Number, "change": v.Change, "sha256": v.SHA256, "effective_at": v.EffectiveAt})
	}
	_, err = fmt.Fprintf(out, "%s %s: published, holds from %s, SHA-256 %s\n", v.Document, v.Number, v.EffectiveAt.In(civil.Zone).Format(time.DateTime), v.SHA256)
	return err
}

// patience is how long the question may stand before the notice of a day that
// nobody named would be too short.
const patience = 10 * time.Minute

// confirm shows what would be published and asks.
func (d PolicyDraft) confirm(view consent.Preview, out io.Writer) error {
	if !d.JSON {
		differences(view, out)
	}
	switch {
	case d.Yes:
		return nil
	case d.JSON || d.Ask == nil:
		return ErrUnconfirmed
	}
	_, _ = fmt.Fprintf(out, "\nPublish %s %s? Type yes: ", view.Document, view.Number)
	answer, err := bufio.NewReader(d.Ask).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return ErrUnconfirmed
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// differences prints the sections that differ, of each language, and what follows
// for the people who accepted the version before.
func differences(view consent.Preview, out io.Writer) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	say("%s %s, a %s change of %s; holds from %s", view.Document, view.Number, view.Change, view.Newest.Number, view.EffectiveAt.In(civil.Zone).Format(time.DateTime))
	for _, locale := range consent.Locales {
		say("\n%s:", locale)
		changes := view.Sections(locale)
		if len(changes) == 0 {
			say("  no section differs")
		}
		for _, c := range changes {
			title := c.Title
			if title == "" {
				title = "(before the first heading)"
			}
			say("  %-8s %s (+%d -%d)", c.Kind, title, c.Added, c.Removed)
		}
	}
	say("")
	if anew := view.Anew(); len(anew) > 0 {
		say("From that day these consents are asked anew, and what rests on them is shut for each person until they accept: %s", strings.Join(anew, ", "))
	} else {
		say("No consent is asked anew: people are shown the new text and go on.")
	}
}
