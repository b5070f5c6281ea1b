// Package imap reads a mailbox for the rights desk (RFC 9051), over TLS and
// through the permit of platform/egress. It changes nothing in the mailbox: no
// flag is set and nothing is deleted, so that people go on using it.
//
// It is not a mail client: of a mail it takes bounded plain text and the names of
// attachments, never an attachment.
package imap

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
)

// Config is one mailbox. Its address is that of the recipient in the registry.
type Config struct {
	Recipient string // id in the registry of recipients, "mailbox.privacy"
	User      string
	Password  string
}

// Limits of one run.
const (
	maxMails = 50
	maxMail  = 256 << 10
	runTime  = 50 * time.Second // the permit's connection ends after a minute
	// firstDays is how far back a mailbox is read that was never read before.
	firstDays = 7
)

// Mailbox fills privacy.Mailbox. It is safe for concurrent use.
type Mailbox struct {
	c    Config
	door *egress.Egress
}

// New returns a mailbox; nothing is dialled yet.
func New(c Config, door *egress.Egress) *Mailbox { return &Mailbox{c, door} }

// Fetch fills privacy.Mailbox. Errors never hold what a server said: it may quote
// mails.
func (b *Mailbox) Fetch(ctx context.Context, after privacy.Position, take func(context.Context, privacy.Mail, privacy.Position) error) error {
	permit, err := b.door.Collect(b.c.Recipient, "fetch")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	err = b.session(ctx, permit, after, take)
	return errors.Join(err, permit.Finish(ctx, permit.OutcomeOf(err)))
}

func (b *Mailbox) session(ctx context.Context, permit *egress.Permit, after privacy.Position, take func(context.Context, privacy.Mail, privacy.Position) error) error {
	conn, err := permit.Dial(ctx)
	if err != nil {
		return fmt.Errorf("reaching the mailbox: %w", err)
	}
	// The library sets deadlines of its own, so that the end of the run closes.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c := imapclient.New(conn, nil)
	defer func() { _ = c.Close() }()
	if err := c.WaitGreeting(); err != nil {
		return refused("greeting", err)
	}
	if err := c.Login(b.c.User, b.c.Password).Wait(); err != nil {
		return refused("signing in", err)
	}
	box, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return refused("opening INBOX", err)
	}
	uids, err := fresh(c, box.UIDValidity, after)
	if err != nil {
		return err
	}
	for _, uid := range uids[:min(len(uids), maxMails)] {
		m, there, err := fetch(c, uid)
		if err != nil {
			return err
		}
		if !there {
			continue // somebody deleted it meanwhile
		}
		if err := take(ctx, m, privacy.Position{Validity: box.UIDValidity, UID: uint32(uid)}); err != nil {
			return err
		}
	}
	_ = c.Logout().Wait()
	return nil
}

// refused keeps a server's own words out of errors and logs.
func refused(doing string, err error) error {
	var said *imap.Error
	if errors.As(err, &said) {
		return fmt.Errorf("%s: the mailbox answered %s", doing, said.Type)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// fresh lists what arrived after a position in ascending order. A mailbox whose
// numbers began anew is read again for the days that a first run reads; what was
// taken before is known again by its digest.
func fresh(c *imapclient.Client, validity uint32, after privacy.Position) ([]imap.UID, error) {
	criteria, last := &imap.SearchCriteria{}, imap.UID(after.UID)
	if after.Validity == validity && validity != 0 {
		criteria.UID = []imap.UIDSet{{imap.UIDRange{Start: last + 1}}} // to *
	} else {
		last = 0
		criteria.Since = time.Now().AddDate(0, 0, -firstDays)
	}
	found, err := c.UIDSearch(criteria, nil).Wait()
	if err != nil {
		return nil, refused("searching", err)
	}
	// "n:*" always has the last mail in it, also where that is below n.
	uids := slices.DeleteFunc(found.AllUIDs(), func(u imap.UID) bool { return u <= last })
	slices.Sort(uids)
	return slices.Compact(uids), nil
}

func fetch(c *imapclient.Client, uid imap.UID) (m privacy.Mail, there bool, err error) {
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Offset: 0, Size: maxMail}}
	cmd := c.Fetch(imap.UIDSetNum(uid), &imap.FetchOptions{UID: true, RFC822Size: true, BodySection: []*imap.FetchItemBodySection{section}})
	var raw []byte
	var size int64
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch v := item.(type) {
			case imapclient.FetchItemDataRFC822Size:
				size = v.Size
			case imapclient.FetchItemDataBodySection:
				if v.Literal == nil {
					continue
				}
				if raw, err = io.ReadAll(io.LimitReader(v.Literal, maxMail)); err != nil {
					return m, false, errors.Join(fmt.Errorf("reading a mail: %w", err), cmd.Close())
				}
				there = true
			}
		}
	}
	if err := cmd.Close(); err != nil {
		return m, false, refused("fetching", err)
	}
	if !there {
		return m, false, nil
	}
	m = Parse(raw)
	m.Cut = m.Cut || size > int64(len(raw))
	return m, true, nil
}
