package privacy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Mailbox is a mailbox that is read. It is never written: staff go on using it,
// and how far it was read is kept here. A provider fills it.
type Mailbox interface {
	// Fetch hands over what arrived after a position, oldest first, at most as much
	// as fits one run, until take fails.
	Fetch(ctx context.Context, after Position, take func(context.Context, Mail, Position) error) error
}

// Position is how far a mailbox was read: UIDs of one UIDVALIDITY (RFC 9051,
// 2.3.1.1). The zero value is a mailbox that was never read.
type Position struct{ Validity, UID uint32 }

// Mail is a mail as it is taken, cut to bounds by the provider: plain text in
// UTF-8, no attachment but its name.
type Mail struct {
	ID          string   // Message-ID without brackets; may be empty or anything
	References  []string // of References and In-Reply-To, without brackets
	From        string   // address; empty if there is none that can be answered
	Subject     string
	Text        string
	Attachments []string
	Cut         bool // there is more in the mailbox
	Auto        Auto
}

// Auto says what of a mail was made by a program.
type Auto string

// Kinds of automatic mails.
const (
	ByHand   Auto = ""
	Machine  Auto = "machine"  // a list, or a program: taken, and not answered by a program
	Response Auto = "response" // a bounce or an auto-reply: nobody asks for anything in it
)

// MailWords is a mail of a request, opened.
type MailWords struct {
	From        string    `json:"from"`
	Subject     string    `json:"subject"`
	Text        string    `json:"text"`
	Attachments []string  `json:"attachments,omitempty"`
	Cut         bool      `json:"cut,omitempty"`
	At          time.Time `json:"-"`
}

// Kinds of rows of privacy_mail.
const (
	mailOpened = "opened"    // it began its case
	mailJoined = "joined"    // of a case that was open
	mailNone   = "automatic" // nobody's request
)

// States of the answer that a program gives to a mail.
const (
	replyNone   = "none"
	replyDue    = "due"
	replySent   = "sent"
	replyFailed = "failed"
)

// Bounds on what one sender can bring about.
const (
	maxReplies  = 3  // acknowledgements to one address in a day
	maxCases    = 10 // open cases of one address; further mails join the newest
	maxContent  = 20000
	replyWindow = 24 * time.Hour
)

// poll takes what arrived in a mailbox. A mail, its case and the new position
// are one transaction: a kill at any step neither loses nor doubles one.
func (s *Service) poll(ctx context.Context, channel string, box Mailbox) error {
	at, err := db.Get(ctx, s.d.DB, ErrChannel, func(row db.Row) (p Position, err error) {
		return p, row.Scan(&p.Validity, &p.UID)
	}, "SELECT validity, uid FROM privacy_mailbox WHERE channel = $1", channel)
	if err != nil && !errs.IsNotFound(err) {
		return err
	}
	return box.Fetch(ctx, at, func(ctx context.Context, m Mail, now Position) error {
		if err := s.take(ctx, channel, m, now); err != nil {
			return fmt.Errorf("taking a mail of %s: %w", channel, err)
		}
		fault.Point("intake-mail-taken")
		return nil
	})
}

// digest knows a mail again, in either mailbox: two mails that differ have two,
// also where somebody gives them one Message-ID.
func (m Mail) digest() string {
	raw, err := json.Marshal([]string{m.ID, m.From, m.Subject, m.Text, strings.Join(m.Attachments, "\n")})
	if err != nil {
		panic(err) // texts always encode
	}
	return hexSum(string(raw))
}

func hexSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// words is what a case keeps of its first mail in its own words.
func (m Mail) words() string {
	return firstRunes(strings.TrimSpace(m.Subject+"\n\n"+m.Text), maxWords)
}

func firstRunes(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most])
}

// sender is who a mail says that it is from. Nobody is known by that.
type sender struct {
	account account.ID // empty: nobody has verified this address
	subject id.Handle
	blind   string // index of the address; empty without one
}

// senderOf finds who has verified the address; whoever has not gets a handle of
// this case alone.
func (s *Service) senderOf(ctx context.Context, from string) (w sender, err error) {
	w.subject = id.NewHandle()
	if from == "" {
		return w, nil
	}
	if w.blind, err = s.d.Vault.Blind(ctx, "privacy_mail.sender", strings.ToLower(from)); err != nil {
		return w, err
	}
	if s.d.Addresses == nil {
		return w, nil
	}
	owner, subject, err := s.d.Addresses.OwnerByAddress(ctx, from)
	if errs.IsNotFound(err) {
		return w, nil
	}
	if err == nil {
		w.account, w.subject = owner, subject
	}
	return w, err
}

// taken is a row of privacy_mail to be written.
type taken struct {
	id, channel, kind, request, reply string
	who                               sender
	content                           []byte
	m                                 Mail
}

// mailRef is the place of a mail that is sealed under the key of a case (keyOf).
func mailRef(row string, subject id.Handle, keyCase string) vault.Ref {
	return vault.Ref{Table: "privacy_mail", Column: "content", Row: row, Subject: subject, Class: keyOf(keyCase)}
}

func (s *Service) take(ctx context.Context, channel string, m Mail, now Position) error {
	row := taken{id: id.New("mai"), channel: channel, kind: mailNone, reply: replyNone, m: m}
	if m.Auto == Response {
		return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := s.keepMailTx(ctx, tx, row, now)
			return err
		})
	}
	var err error
	if row.who, err = s.senderOf(ctx, m.From); err != nil {
		return err
	}
	r, err := s.thread(ctx, m, row.who.blind)
	switch {
	case errs.IsNotFound(err):
		return s.openMail(ctx, row, now)
	case err != nil:
		return err
	}
	row.kind, row.request, row.who.subject = mailJoined, r.ID, r.Subject
	return s.joinMail(ctx, row, now)
}

// openMail begins a case by a mail. Who sent it is asked: an address in a mail
// proves nothing.
func (s *Service) openMail(ctx context.Context, row taken, now Position) error {
	r := s.fresh(row.who.account, row.who.subject, NewRequest{Kind: Question, Channel: row.channel, To: addressed(row.channel)})
	row.kind, row.request = mailOpened, r.ID
	all := s.clocksOf(&r, s.d.Profile)
	var err error
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), []byte(row.m.words())); err != nil {
		return err
	}
	if err := s.sealMail(ctx, &row); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.openStrangerTx(ctx, tx, r, all, row, now) })
}

// openStrangerTx keeps a mail and the case that it opens, asks who it is and has
// the receipt acknowledged.
func (s *Service) openStrangerTx(ctx context.Context, tx *db.Tx, r Request, all []Clock, row taken, now Position) (err error) {
	if row.reply, err = s.replyTx(ctx, tx, row); err != nil {
		return err
	}
	fresh, err := s.keepMailTx(ctx, tx, row, now)
	if err != nil || !fresh {
		return err
	}
	if err := s.receiveTx(ctx, tx, account.Principal{}, r, all); err != nil {
		return err
	}
	r.Identity = IdentityAsked
	if err := s.moveTx(ctx, tx, account.Principal{}, r, EventAsk, "privacy.identity_asked", map[string]string{"channel": row.channel}); err != nil {
		return err
	}
	if row.reply != replyDue {
		return nil
	}
	return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: acknowledgeJob, Payload: mailJob{row.id}})
}

func addressed(channel string) string {
	if channel == ChannelDPO {
		return ToDPO
	}
	return ""
}

// joinMail adds a mail to the open case of its thread. A case that was closed
// meanwhile makes the next run open a new one.
func (s *Service) joinMail(ctx context.Context, row taken, now Position) error {
	if err := s.sealMail(ctx, &row); err != nil {
		return err
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		switch r, err := byID(ctx, tx, row.request); {
		case err != nil:
			return err
		case !r.State.open():
			return ErrState.With("state", string(r.State))
		}
		_, err := s.keepMailTx(ctx, tx, row, now)
		return err
	})
}

func (s *Service) sealMail(ctx context.Context, row *taken) error {
	raw, err := json.Marshal(MailWords{
		From: row.m.From, Subject: row.m.Subject, Text: firstRunes(row.m.Text, maxContent), Attachments: row.m.Attachments,
		Cut: row.m.Cut || utf8.RuneCountInString(row.m.Text) > maxContent,
	})
	if err != nil {
		return err
	}
	row.content, err = s.d.Vault.Seal(ctx, mailRef(row.id, row.who.subject, row.request), raw)
	return err
}

// keepMailTx notes a mail and how far the mailbox was read; fresh is false for a
// mail that was taken before.
func (s *Service) keepMailTx(ctx context.Context, tx *db.Tx, row taken, now Position) (fresh bool, err error) {
	subject := string(row.who.subject)
	n, err := tx.Exec(ctx, `INSERT INTO privacy_mail (id, channel, kind, digest, message, request, subject, sender, content, reply, at, key_case)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $6) ON CONFLICT (digest) DO NOTHING`,
		row.id, row.channel, row.kind, row.m.digest(), hexSum(row.m.ID), row.request, subject, row.who.blind, nullable(row.content), row.reply,
		db.Micros(s.d.Clock.Now()))
	if err != nil || now == (Position{}) {
		return n == 1, err
	}
	_, err = tx.Exec(ctx, `INSERT INTO privacy_mailbox (channel, validity, uid) VALUES ($1, $2, $3)
		ON CONFLICT (channel) DO UPDATE SET validity = excluded.validity, uid = CASE
		WHEN excluded.validity = privacy_mailbox.validity AND privacy_mailbox.uid > excluded.uid THEN privacy_mailbox.uid ELSE excluded.uid END`,
		row.channel, int64(now.Validity), int64(now.UID))
	return n == 1, err
}

// replyTx says whether a program answers a mail: never what a program sent, and
// an address a few times a day at most, so that two programs cannot go on
// answering each other.
func (s *Service) replyTx(ctx context.Context, tx *db.Tx, row taken) (string, error) {
	if s.d.Mailer == nil || row.m.Auto != ByHand || row.who.blind == "" || s.own(row.m.From) {
		return replyNone, nil
	}
	n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM privacy_mail WHERE sender = $1 AND at > $2 AND reply <> 'none'",
		row.who.blind, db.Micros(s.d.Clock.Now().Add(-replyWindow)))
	if err != nil || n >= maxReplies {
		return replyNone, err
	}
	return replyDue, nil
}

// own tells whether an address is one of ours, which are never written to.
func (s *Service) own(address string) bool {
	return slices.ContainsFunc(s.d.OwnAddresses, func(a string) bool {
		if parsed, err := mail.ParseAddress(a); err == nil {
			a = parsed.Address
		}
		return strings.EqualFold(a, address)
	})
}

// thread finds the open case that a mail belongs to: one whose mails it answers,
// or whose acknowledgement it answers, and which is of the same sender, because
// a Message-ID can be known to others. Errors: of kind NotFound.
func (s *Service) thread(ctx context.Context, m Mail, blind string) (Request, error) {
	if blind == "" {
		return Request{}, ErrNotFound
	}
	const mine = columns + ` JOIN privacy_mail m ON m.request = r.id WHERE r.closed_at = 0 AND m.sender = $1`
	for _, ref := range m.References[max(0, len(m.References)-20):] {
		number, _, _ := strings.Cut(ref, ".")
		r, err := db.Get(ctx, s.d.DB, ErrNotFound, scan, mine+" AND (m.message = $2 OR r.id = $3) ORDER BY m.at DESC LIMIT 1", blind, hexSum(ref), number)
		if !errs.IsNotFound(err) {
			return r, err
		}
	}
	open, err := db.Get(ctx, s.d.DB, nil, db.One[int64], `SELECT count(*) FROM privacy_mail m JOIN privacy_request r ON r.id = m.request
		WHERE r.closed_at = 0 AND m.kind = 'opened' AND m.sender = $1`, blind)
	if err != nil || open < maxCases {
		if err == nil {
			err = ErrNotFound
		}
		return Request{}, err
	}
	return db.Get(ctx, s.d.DB, ErrNotFound, scan, mine+" ORDER BY m.at DESC, m.id DESC LIMIT 1", blind)
}

type sealedMail struct {
	id, request, reply, keyCase string
	subject                     id.Handle
	content                     []byte
	at                          time.Time
}

func scanMail(row db.Row) (m sealedMail, err error) {
	var at int64
	err = row.Scan(&m.id, &m.request, &m.subject, &m.content, &m.reply, &m.keyCase, &at)
	m.at = db.FromMicros(at)
	return m, err
}

const mailColumns = "SELECT id, request, subject, content, reply, key_case, at FROM privacy_mail"

func (s *Service) mailsOf(ctx context.Context, request string) ([]sealedMail, error) {
	return db.Select(ctx, s.d.DB, scanMail, mailColumns+" WHERE request = $1 AND content IS NOT NULL ORDER BY at, id LIMIT 200", request)
}

func (s *Service) openSealed(ctx context.Context, t vault.Ticket, m sealedMail) (w MailWords, err error) {
	raw, err := s.d.Vault.Open(ctx, t, mailRef(m.id, m.subject, m.keyCase), m.content)
	if err != nil {
		return w, fmt.Errorf("opening mail %s: %w", m.id, err)
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return w, fmt.Errorf("reading mail %s: %w", m.id, err)
	}
	w.At = m.at
	return w, nil
}
