package incident

import (
	"context"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Channels of a profile besides the announcement: push is the notice that the
// console and the client show.
var channels = map[string][]string{
	consent.Mainland: {"push", "mail", "phone"},
	consent.HongKong: {"push", "mail", "letter", "phone"},
}

// Channels are the channels of the installation.
func (s *Service) Channels() []string { return channels[s.d.Profile] }

// Send sends the draft to everybody on the list. Errors: ErrNoDraft, ErrField,
// ErrState.
func (s *Service) Send(ctx context.Context, p account.Principal, incident string) error {
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) error {
		all, err := noticesOf(ctx, tx, incident)
		if err != nil {
			return err
		}
		if len(all) == 0 || all[len(all)-1].State != Draft {
			return ErrNoDraft
		}
		n := all[len(all)-1]
		if missing := n.Missing(); len(missing) > 0 {
			return ErrField.With("field", strings.Join(missing, ", "))
		}
		if i.State, err = i.State.On(EventSend); err != nil {
			return err
		}
		return s.sendTx(ctx, tx, p, *i, n)
	})
}

func (s *Service) sendTx(ctx context.Context, tx *db.Tx, p account.Principal, i Incident, n Notice) error {
	now := s.d.Clock.Now()
	n.SHA256 = n.digest(s.d.Sender.Brand)
	err := tx.ExecOne(ctx, ErrIncident, "UPDATE incident_notice SET state = 'sending', sha256 = $1, sent_by = $2, sent_at = $3 WHERE id = $4 AND version = $5 AND state = 'draft'",
		n.SHA256, string(p.Subject), db.Micros(now), n.ID, n.Version)
	if err != nil {
		return err
	}
	if n.CauseUnknown {
		if err := startTx(ctx, tx, i.ID, run(RuleSupplement, now)); err != nil {
			return err
		}
	}
	// Who was not to be told is told after all.
	if err := applyTx(ctx, tx, i.ID, RulePeople, true, now); err != nil {
		return err
	}
	err = s.stepTx(ctx, tx, p, i.ID, "notice_sent", map[string]string{"notice": n.ID, "number": itoa(n.Number), "sha256": n.SHA256})
	if err != nil || mutant.Off("TY-5.1e") {
		return err
	}
	return s.enqueueTx(ctx, tx, kindFanout, n.ID)
}

// fanout gives a notice to everybody on the list, page by page. Killed, it goes
// on with the page that was not committed; who has the notice does not get it
// again, whoever else is at it.
func (s *Service) fanout(ctx context.Context, notice string) error {
	for {
		n, err := noticeByID(ctx, s.d.DB, notice)
		if err != nil || n.State != Sending {
			return err
		}
		all, err := s.listed(ctx, n)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return s.reachedAll(ctx, n)
		}
		if err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.tellPageTx(ctx, tx, n, all) }); err != nil {
			return err
		}
		fault.Point("incident-told-page")
	}
}

type listed struct {
	affected
	minor bool
}

func (s *Service) listed(ctx context.Context, n Notice) ([]listed, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (l listed, err error) {
		var minor int64
		err = r.Scan(&l.subject, &l.kind, &minor)
		l.minor = minor == 1
		return l, err
	}, "SELECT subject, kind, minor FROM incident_person WHERE incident = $1 AND subject > $2 ORDER BY subject LIMIT $3", n.Incident, n.position, pageSize)
}

func (s *Service) tellPageTx(ctx context.Context, tx *db.Tx, n Notice, all []listed) error {
	moved, err := tx.Exec(ctx, "UPDATE incident_notice SET position = $1 WHERE id = $2 AND position = $3 AND state = 'sending'",
		all[len(all)-1].subject, n.ID, n.position)
	if err != nil || moved == 0 {
		return err // another process told this page
	}
	for _, l := range all {
		if err := s.tellTx(ctx, tx, n, l); err != nil {
			return err
		}
	}
	return nil
}

// States of a delivery's mail beside those of notify.
const (
	mailNone = "none" // no address: a VPN user sees it in the client
	mailGone = "gone" // nobody is known any more
)

func (s *Service) tellTx(ctx context.Context, tx *db.Tx, n Notice, l listed) error {
	mail := map[string]string{"account": notify.MailPending, "user": mailNone, "gone": mailGone}[l.kind]
	fresh, err := tx.Exec(ctx, "INSERT INTO incident_delivery (notice, subject, mail, at, seen_at, reached_at) VALUES ($1, $2, $3, $4, 0, 0) ON CONFLICT DO NOTHING",
		n.ID, l.subject, mail, db.Micros(s.d.Clock.Now()))
	if err != nil || fresh == 0 {
		return err
	}
	if l.minor {
		if err := s.taskTx(ctx, tx, n, l.subject, "guardian"); err != nil {
			return err
		}
	}
	if mail != notify.MailPending {
		return nil
	}
	return s.d.Notify.SendTx(ctx, tx, notify.Message{
		Event: notify.IncidentNotice, Subject: id.Handle(l.subject), Params: map[string]string{"notice": n.ID},
		Dedupe: "incident:" + n.ID + ":" + l.subject, Batch: n.ID,
	})
}

// reachedAll notes that everybody on the list has the notice.
func (s *Service) reachedAll(ctx context.Context, n Notice) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		now := s.d.Clock.Now()
		done, err := tx.Exec(ctx, "UPDATE incident_notice SET state = 'sent', done_at = $1, position = '' WHERE id = $2 AND state = 'sending' AND position = $3",
			db.Micros(now), n.ID, n.position)
		if err != nil || done == 0 {
			return err
		}
		i, err := byID(ctx, tx, n.Incident)
		if err != nil {
			return err
		}
		if err := meetTx(ctx, tx, i.ID, RulePeople, now); err != nil {
			return err
		}
		if n.Number > 1 {
			if err := meetTx(ctx, tx, i.ID, RuleSupplement, now); err != nil {
				return err
			}
		}
		if err := s.stepTx(ctx, tx, system, i.ID, "notified", map[string]string{"notice": n.ID}); err != nil {
			return err
		}
		open, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM incident_notice WHERE incident = $1 AND state = 'sending'", i.ID)
		if err != nil || open > 0 || i.State != Notifying {
			return err // counted anew: the list grows, and this notice goes on
		}
		if i.State, err = i.State.On(EventReached); err != nil {
			return err
		}
		return updateTx(ctx, tx, i)
	})
}

// Text is a notice as people of this installation read it.
func (s *Service) Text(n Notice, language string) string { return n.Text(s.d.Sender.Brand, language) }

// mailText is a notice as the body of a mail.
func (s *Service) mailText(ctx context.Context, params map[string]string, locale string) (string, error) {
	n, err := noticeByID(ctx, s.d.DB, params["notice"])
	if err != nil {
		return "", err
	}
	return n.Text(s.d.Sender.Brand, locale), nil
}

// receipt notes what became of a mail. Who cannot be mailed is called or written
// to.
func (s *Service) receipt(ctx context.Context, r notify.Receipt) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		n, err := noticeByID(ctx, tx, r.Batch)
		if errs.IsNotFound(err) {
			return nil // a batch of somebody else
		}
		if err != nil {
			return err
		}
		reached := int64(0)
		if r.Mail == notify.MailSent {
			reached = db.Micros(s.d.Clock.Now())
		}
		_, err = tx.Exec(ctx, `UPDATE incident_delivery SET mail = $1, reached_at = CASE WHEN reached_at = 0 THEN $2 ELSE reached_at END
			WHERE notice = $3 AND subject = $4`, r.Mail, reached, n.ID, string(r.Subject))
		if err != nil || reached > 0 {
			return err
		}
		return s.callOrWriteTx(ctx, tx, n, string(r.Subject))
	})
}
