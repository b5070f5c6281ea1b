package privacy

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"text/template"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Jobs that write to whoever wrote to us.
const (
	acknowledgeJob = "privacy.acknowledge"
	replyJob       = "privacy.reply"
)

type (
	mailJob struct{ Mail string }
	caseJob struct{ Request string }
)

//go:embed reply.yaml
var replyFile []byte

// replies are the mails to people who have no account here, in both languages at
// once: which one they read is not known.
type replies struct {
	ReceivedTitle string `yaml:"received_title"`
	Received      string `yaml:"received"`
	AnsweredTitle string `yaml:"answered_title"`
}

var replyTexts = sync.OnceValue(func() (r replies) {
	dec := yaml.NewDecoder(strings.NewReader(string(replyFile)))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return r
})

type replyData struct{ Brand, Request, Date, URL string }

func (d replyData) fill(text string) (string, error) {
	t, err := template.New("reply").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, d)
	return b.String(), err
}

// acknowledge tells a sender that the case is open. Nothing of what was written
// is repeated: the address may be somebody else's.
func (s *Service) acknowledge(ctx context.Context, j mailJob) error {
	m, err := db.Get(ctx, s.d.DB, ErrNotFound, scanMail, mailColumns+" WHERE id = $1 AND reply = 'due'", j.Mail)
	if errs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	r, err := byID(ctx, s.d.DB, m.request)
	if err != nil {
		return err
	}
	d := replyData{s.d.Letterhead.Brand, r.ID, lastDay(r.Due), s.d.URL}
	title, err := d.fill(replyTexts().ReceivedTitle)
	if err != nil {
		return err
	}
	text, err := d.fill(replyTexts().Received)
	if err != nil {
		return err
	}
	return s.sendTo(ctx, m, notify.Mail{Reference: r.ID + ".ack", Title: title, Text: text}, acknowledgeJob)
}

// mailAnswer sends the letter to whoever asked by mail or by a link and has no
// account in which it could be read.
func (s *Service) mailAnswer(ctx context.Context, j caseJob) error {
	r, err := byID(ctx, s.d.DB, j.Request)
	if err != nil {
		return err
	}
	all, err := s.mailsOf(ctx, r.ID)
	if err != nil || len(all) == 0 || r.letter == nil {
		return err
	}
	o, err := s.unseal(ctx, r, vault.Reader{Class: vault.Job, Session: replyJob})
	if errs.KindOf(err) == errs.Gone {
		return nil
	}
	if err != nil {
		return err
	}
	title, err := replyData{Brand: s.d.Letterhead.Brand, Request: r.ID}.fill(replyTexts().AnsweredTitle)
	if err != nil {
		return err
	}
	text := o.Letter["zh-CN"] + "\n\n--\n\n" + o.Letter["en"]
	return s.sendTo(ctx, all[0], notify.Mail{Reference: r.ID + ".answer", Title: title, Text: text}, replyJob)
}

// sendTo sends a mail to whom a mail came from.
func (s *Service) sendTo(ctx context.Context, m sealedMail, out notify.Mail, kind string) error {
	ticket, err := s.d.Vault.Begin(ctx, vault.Read{
		Reader: vault.Reader{Class: vault.Job, Session: kind}, Subject: m.subject, Fields: []string{mailRef("", "", "").Field()}, Purpose: "rights", Reason: m.request,
	})
	if err != nil {
		return err
	}
	w, err := s.openSealed(ctx, ticket, m)
	if errs.KindOf(err) == errs.Gone {
		return nil // erased meanwhile
	}
	if err != nil {
		return err
	}
	if w.From == "" || s.d.Mailer == nil {
		return nil
	}
	out.Subject, out.Purpose, out.To = m.subject, "account", w.From
	switch err := s.d.Mailer.Send(ctx, out); {
	case err == nil:
		return s.replied(ctx, m, replySent)
	case errors.Is(err, notify.ErrRefused):
		s.d.Log.WarnContext(ctx, "a mail about a request was refused", "request", m.request)
		return s.replied(ctx, m, replyFailed)
	default:
		return fmt.Errorf("writing about request %s: %w", m.request, err)
	}
}

func (s *Service) replied(ctx context.Context, m sealedMail, how string) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE privacy_mail SET reply = $1 WHERE id = $2 AND reply <> 'none'", how, m.id)
		return err
	})
}

// letterTx has the answer mailed to somebody who has no account.
func (s *Service) letterTx(ctx context.Context, tx *db.Tx, r Request) error {
	return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: replyJob, Payload: caseJob{r.ID}})
}
