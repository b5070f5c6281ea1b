package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
)

type delivery struct{ Message string }

// deliver sends one message's mail. It may run again after a crash: a mail that
// was sent but not noted goes out twice with one Message-ID.
func (s *Service) deliver(ctx context.Context, d delivery) error {
	r, err := db.Get(ctx, s.d.DB, ErrNotFound, scanRow, "SELECT "+rowColumns+" FROM notify_message WHERE id = $1", d.Message)
	if errs.IsNotFound(err) {
		return nil // erased
	}
	if err != nil || r.mail != MailPending {
		return err
	}
	m, err := s.compose(ctx, r)
	switch {
	case errors.Is(err, errUnverified):
		return s.settle(ctx, r, MailSkipped, errs.CodeOf(err))
	case errs.IsNotFound(err), errs.KindOf(err) == errs.Gone:
		return s.settle(ctx, r, MailFailed, errs.CodeOf(err)) // the person is gone
	case err != nil:
		return err
	}
	fault.Point("notify-before-send")
	err = s.d.Sender.Send(ctx, m)
	fault.Point("notify-after-send")
	switch {
	case err == nil:
		return s.settle(ctx, r, MailSent, "")
	case errors.Is(err, ErrRefused):
		return s.settle(ctx, r, MailFailed, errs.CodeOf(err))
	}
	return errors.Join(fmt.Errorf("sending message %s: %w", r.id, err), s.settle(ctx, r, MailPending, errs.CodeOf(err)))
}

var errUnverified = errs.New(errs.Restricted, "notify.address_unverified")

// compose opens the address, makes the token and fills the templates.
func (s *Service) compose(ctx context.Context, r row) (Mail, error) {
	k, ok := kinds()[r.event]
	if !ok {
		return Mail{}, fmt.Errorf("no template for event %s", r.event)
	}
	to, err := s.contact(ctx, r, k)
	if err != nil {
		return Mail{}, err
	}
	if !to.Verified && !k.Unverified {
		return Mail{}, errUnverified
	}
	d, err := s.data(ctx, r, to.Locale)
	if err != nil {
		return Mail{}, err
	}
	l, err := s.write(ctx, r, k, to, d)
	if err != nil {
		return Mail{}, err
	}
	return Mail{Reference: r.id, Subject: r.subject, Purpose: k.Mail, To: to.Email, Title: l.title, Text: l.text(), HTML: l.html()}, nil
}

// contact is where a message goes: what confirms a new address, there.
func (s *Service) contact(ctx context.Context, r row, k kind) (account.Contact, error) {
	if k.Token == "email_change" {
		return s.d.Account.NextContact(ctx, r.subject, DeliverJob)
	}
	return s.d.Account.Contact(ctx, r.subject, k.Mail, DeliverJob)
}

func (s *Service) write(ctx context.Context, r row, k kind, to account.Contact, d data) (letter, error) {
	l := letter{name: to.Name, locale: to.Locale, brand: s.d.Brand}
	w := k.words(to.Locale)
	var err error
	if l.title, err = fill(w.Title, d); err != nil {
		return l, err
	}
	if l.body, err = fill(w.Body, d); err != nil {
		return l, err
	}
	path, err := fill(k.Link, d)
	if err != nil {
		return l, err
	}
	if path != "" {
		l.link = s.d.URL + path
	}
	var token string
	switch k.Token {
	case "":
		return l, nil
	case "verify":
		token, err = s.d.Account.IssueVerification(ctx, r.subject)
	case "email_change":
		token, err = s.d.Account.IssueEmailChange(ctx, r.subject)
	case "reset":
		token, err = s.d.Account.IssueReset(ctx, r.subject)
	default:
		err = fmt.Errorf("event %s wants a token of kind %q", k.Event, k.Token)
	}
	l.link += "#token=" + token
	return l, err
}

// settle notes the attempt and the message's new state.
func (s *Service) settle(ctx context.Context, r row, state, code string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT COUNT(*) FROM notify_attempt WHERE message = $1", r.id)
		if err != nil {
			return err
		}
		outcome := state
		if state == MailPending {
			outcome = "retry"
		}
		_, err = tx.Exec(ctx, "INSERT INTO notify_attempt (message, number, at, outcome, code) VALUES ($1, $2, $3, $4, $5)",
			r.id, n+1, db.Micros(s.d.Clock.Now()), outcome, code)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE notify_message SET mail = $1 WHERE id = $2 AND mail = 'pending'", state, r.id)
		if err != nil || r.batch == "" || state == MailPending {
			return err
		}
		return s.d.Queue.PublishTx(ctx, tx, TopicReceipt, Receipt{Batch: r.batch, Subject: r.subject, Mail: state})
	})
}
