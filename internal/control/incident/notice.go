package incident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civilid"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Words are a notice's fields by language and name.
type Words map[string]map[string]string

// States of a notice.
const (
	Draft   = "draft"
	Sending = "sending"
	Sent    = "sent"
)

// Notice is what people are told. The first has number 1; later ones are
// supplements. Once sent it never changes.
type Notice struct {
	ID           string // ntc_...
	Incident     string
	Number       int64
	State        string
	CauseUnknown bool // it says so, and a supplement is owed
	Words        Words
	SHA256       string // of both texts as sent; empty before
	WrittenBy    string
	WrittenAt    time.Time
	SentBy       string
	SentAt       time.Time
	DoneAt       time.Time // when everybody on the list had it
	Version      int64

	position string
}

// Missing names the fields that a notice lacks, as field.language (clause
// LT-5.2c).
func (n Notice) Missing() (all []string) {
	if mutant.Off("LT-5.2c") {
		return nil
	}
	for _, f := range FieldNames() {
		for _, l := range languages {
			if strings.TrimSpace(n.Words[l][f]) == "" && (f != "cause" || !n.CauseUnknown) {
				all = append(all, f+"."+l)
			}
		}
	}
	return all
}

// Text is the whole notice in a language, as people read it.
func (n Notice) Text(brand, language string) string {
	w := words()
	parts := []string{fill(w.Greeting.in(language), "{brand}", brand, "{incident}", n.Incident)}
	for _, f := range w.Fields {
		said := strings.TrimSpace(n.Words[language][f.ID])
		if said == "" {
			said = w.Unknown.in(language)
		}
		parts = append(parts, f.in(language)+"\n"+said)
	}
	return strings.Join(parts, "\n\n")
}

// Title is the heading of the notice.
func (n Notice) Title(language string) string {
	if n.Number > 1 {
		return words().Supplement.in(language)
	}
	return words().Title.in(language)
}

func (n Notice) digest(brand string) string {
	var both []string
	for _, l := range languages {
		both = append(both, n.Title(l), n.Text(brand, l))
	}
	sum := sha256.Sum256([]byte(strings.Join(both, "\n\n")))
	return hex.EncodeToString(sum[:])
}

const maxField = 2000 // characters

var (
	handles = regexp.MustCompile(`sub_[a-z2-7]{26}`)
	numbers = regexp.MustCompile(`[0-9]{17}[0-9Xx]`)
)

// clean refuses words that are too long or that name a person: what everybody is
// told, and what is announced, is about nobody.
func clean(name, said string) error {
	if utf8.RuneCountInString(said) > maxField {
		return ErrLong.With("field", name)
	}
	isID := func(n string) bool { return civilid.CheckDigit(strings.ToUpper(n)) }
	if handles.MatchString(said) || slices.ContainsFunc(numbers.FindAllString(said, -1), isID) {
		return ErrPersonal.With("field", name)
	}
	return nil
}

func (w Words) check() error {
	for language, fields := range w {
		if !slices.Contains(languages, language) {
			return ErrKind
		}
		for name, said := range fields {
			if !slices.Contains(FieldNames(), name) {
				return ErrKind
			}
			if err := clean(name, said); err != nil {
				return err
			}
		}
	}
	return nil
}

// Write keeps the draft of the next notice; it may be incomplete. Errors:
// ErrCause, ErrLong, ErrPersonal, ErrKind.
func (s *Service) Write(ctx context.Context, p account.Principal, incident string, w Words, causeUnknown bool) (n Notice, err error) {
	if err := w.check(); err != nil {
		return n, err
	}
	return n, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		i, err := byID(ctx, tx, incident)
		if err != nil {
			return err
		}
		if i.State == Closed {
			return ErrState.With("state", string(i.State)).With("event", "write")
		}
		all, err := noticesOf(ctx, tx, incident)
		if err != nil {
			return err
		}
		if n, err = nextDraft(incident, all); err != nil {
			return err
		}
		if causeUnknown && n.Number > 1 {
			return ErrCause
		}
		n.Words, n.CauseUnknown, n.WrittenBy, n.WrittenAt = w, causeUnknown, string(p.Subject), s.d.Clock.Now()
		if err := putDraft(ctx, tx, &n); err != nil {
			return err
		}
		return s.stepTx(ctx, tx, p, incident, "notice_written", map[string]string{"notice": n.ID, "number": itoa(n.Number)})
	})
}

// nextDraft is the draft there is, or a new one.
func nextDraft(incident string, all []Notice) (Notice, error) {
	if k := len(all); k > 0 && all[k-1].State == Draft {
		return all[k-1], nil
	}
	return Notice{ID: id.New("ntc"), Incident: incident, Number: int64(len(all)) + 1, State: Draft}, nil
}

func putDraft(ctx context.Context, tx *db.Tx, n *Notice) error {
	text, err := asJSON(n.Words)
	if err != nil {
		return err
	}
	if n.Version == 0 {
		n.Version = 1
		_, err = tx.Exec(ctx, `INSERT INTO incident_notice (id, incident, number, state, cause_unknown, words, sha256, written_by, written_at, sent_by,
			sent_at, done_at, position, version) VALUES ($1, $2, $3, 'draft', $4, $5, '', $6, $7, '', 0, 0, '', 1)`,
			n.ID, n.Incident, n.Number, db.Bool(n.CauseUnknown), text, n.WrittenBy, db.Micros(n.WrittenAt))
		return err
	}
	n.Version++
	return tx.ExecOne(ctx, ErrIncident, `UPDATE incident_notice SET cause_unknown = $1, words = $2, written_by = $3, written_at = $4, version = $5
		WHERE id = $6 AND version = $7 AND state = 'draft'`,
		db.Bool(n.CauseUnknown), text, n.WrittenBy, db.Micros(n.WrittenAt), n.Version, n.ID, n.Version-1)
}

const noticeSelect = `SELECT n.id, n.incident, n.number, n.state, n.cause_unknown, n.words, n.sha256, n.written_by, n.written_at, n.sent_by, n.sent_at, n.done_at,
	n.position, n.version`

const noticeColumns = noticeSelect + " FROM incident_notice n"

// with reads more columns than a scan function knows.
type with struct {
	db.Row
	more []any
}

func (w with) Scan(dest ...any) error { return w.Row.Scan(append(dest, w.more...)...) }

func scanNotice(r db.Row) (n Notice, err error) {
	var unknown, written, sent, done int64
	var text string
	err = r.Scan(&n.ID, &n.Incident, &n.Number, &n.State, &unknown, &text, &n.SHA256, &n.WrittenBy, &written, &n.SentBy, &sent, &done, &n.position, &n.Version)
	if err != nil {
		return n, err
	}
	n.CauseUnknown, n.WrittenAt, n.SentAt, n.DoneAt = unknown == 1, db.FromMicros(written), db.FromMicros(sent), db.FromMicros(done)
	return n, json.Unmarshal([]byte(text), &n.Words)
}

// noticesOf lists the notices of an incident by number.
func noticesOf(ctx context.Context, q db.Q, incident string) ([]Notice, error) {
	return db.Select(ctx, q, scanNotice, noticeColumns+" WHERE n.incident = $1 ORDER BY n.number", incident)
}

func noticeByID(ctx context.Context, q db.Q, notice string) (Notice, error) {
	return db.Get(ctx, q, ErrNotFound, scanNotice, noticeColumns+" WHERE n.id = $1", notice)
}

// lastSent is the newest notice that was sent.
func lastSent(ctx context.Context, q db.Q, incident string) (Notice, error) {
	return db.Get(ctx, q, ErrNoDraft, scanNotice, noticeColumns+" WHERE n.incident = $1 AND n.sent_at > 0 ORDER BY n.number DESC LIMIT 1", incident)
}
