package privacy

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Link is a one-time link for a place where others read along, such as a QQ
// group: whoever opens it types the request on our page (clause LT-8a). Its
// address holds a random token behind the # and nothing else.
type Link struct {
	URL   string
	Until time.Time
}

// Errors of links.
var (
	ErrLink    = errs.New(errs.Gone, "privacy.link_over")               // used, over, or never made
	ErrLinks   = errs.New(errs.Limited, "privacy.link_limit")           // too many in an hour
	ErrAddress = errs.New(errs.Unprocessable, "privacy.answer_address") // no address that can be answered
)

// Limits of links.
const (
	linkLife     = 24 * time.Hour
	linksOfStaff = 60  // in an hour, by one member of staff
	linksOfAll   = 300 // in an hour, by everybody who is not staff
)

// MakeLink makes a link for staff to post, or for anybody who asks (the zero
// Principal). Errors: ErrLinks.
func (s *Service) MakeLink(ctx context.Context, p account.Principal) (Link, error) {
	by, most := "", int64(linksOfAll)
	if p.Staff {
		by, most = string(p.Subject), linksOfStaff
	}
	token, now := id.Random(26), s.d.Clock.Now()
	l := Link{URL: s.d.URL + "/ask#token=" + token, Until: now.Add(linkLife)}
	return l, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		n, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT count(*) FROM privacy_link WHERE made_by = $1 AND made_at > $2", by, db.Micros(now.Add(-time.Hour)))
		if err != nil {
			return err
		}
		if n >= most {
			return ErrLinks
		}
		_, err = tx.Exec(ctx, "INSERT INTO privacy_link (token, made_by, made_at, until, used_at, request) VALUES ($1, $2, $3, $4, 0, '')",
			hexSum(token), by, db.Micros(now), db.Micros(l.Until))
		return err
	})
}

// OpenLink tells how long a link is good. It does not use it up, so that a chat
// that looks at links leaves them good. Errors: ErrLink.
func (s *Service) OpenLink(ctx context.Context, token string) (time.Time, error) {
	until, err := db.Get(ctx, s.d.DB, ErrLink, db.One[int64], "SELECT until FROM privacy_link WHERE token = $1 AND used_at = 0 AND until > $2",
		hexSum(token), db.Micros(s.d.Clock.Now()))
	return db.FromMicros(until), err
}

// LinkRequest is what somebody asks for behind a link.
type LinkRequest struct {
	NewRequest
	Answer string // address for the answer
}

// UseLink takes the request of whoever has a link and uses the link up by it.
// Who that is has to be asked. Errors: ErrLink, ErrAddress, ErrKind (misuse and
// copies want a sign-in), those of Open.
func (s *Service) UseLink(ctx context.Context, token string, in LinkRequest) (Request, error) {
	in.Channel = ChannelQQ
	if err := in.check(); err != nil {
		return Request{}, err
	}
	if in.Kind == Misuse {
		return Request{}, ErrKind
	}
	if strings.TrimSpace(in.Words) == "" {
		return Request{}, ErrWords // there is no account to look into
	}
	to, err := mail.ParseAddress(in.Answer)
	if err != nil || len(in.Answer) > 254 || s.own(to.Address) {
		return Request{}, ErrAddress
	}
	if _, err := s.OpenLink(ctx, token); err != nil && !mutant.Off("LT-8a") {
		return Request{}, err
	}
	row := taken{id: id.New("mai"), channel: ChannelQQ, kind: mailOpened, m: Mail{ID: token, From: to.Address, Text: strings.TrimSpace(in.Words)}}
	blind, err := s.d.Vault.Blind(ctx, "privacy_mail.sender", strings.ToLower(to.Address))
	if err != nil {
		return Request{}, err
	}
	r := s.fresh("", id.NewHandle(), in.NewRequest)
	row.who, row.request = sender{subject: r.Subject, blind: blind}, r.ID
	all := s.clocksOf(&r, s.d.Profile)
	if r.words, err = s.d.Vault.Seal(ctx, r.ref("words"), []byte(row.m.Text)); err != nil {
		return Request{}, err
	}
	if err := s.sealMail(ctx, &row); err != nil {
		return Request{}, err
	}
	if err := s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.useLinkTx(ctx, tx, token, r, all, row) }); err != nil {
		return Request{}, err
	}
	return byID(ctx, s.d.DB, r.ID)
}

func (s *Service) useLinkTx(ctx context.Context, tx *db.Tx, token string, r Request, all []Clock, row taken) error {
	now := db.Micros(s.d.Clock.Now())
	used := "UPDATE privacy_link SET used_at = $1, request = $2 WHERE token = $3 AND used_at = 0 AND until > $1"
	if mutant.Off("LT-8a") {
		used = "UPDATE privacy_link SET used_at = $1, request = $2 WHERE token = $3"
		row.m.ID = r.ID
	}
	if err := tx.ExecOne(ctx, ErrLink, used, now, r.ID, hexSum(token)); err != nil {
		return err
	}
	return s.openStrangerTx(ctx, tx, r, all, row, Position{})
}
