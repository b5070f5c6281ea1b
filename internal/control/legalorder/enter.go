package legalorder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

const (
	longestText = 200
	maxScan     = 640 << 10
	maxSubjects = 50
)

var (
	digest = regexp.MustCompile(`^[0-9a-f]{64}$`)
	place  = regexp.MustCompile(`^[A-Z]{2}$`)
)

// Entry is an order to enter: subjects by handle or by account.
type Entry struct {
	Order
	Accounts []string
	Scan     []byte // of the document
}

// Enter records an order. ErrIncomplete, ErrDocument, ErrKey, ErrDays, ErrScope
// and ErrForeign say what is wrong with it.
func (s *Service) Enter(ctx context.Context, p account.Principal, e Entry) (Order, error) {
	o, now := e.Order, s.d.Clock.Now()
	o.ID, o.State, o.EnteredBy, o.EnteredAt, o.version = id.New("lo"), Entered, p.Subject, now, 1
	if err := o.check(now, s.d.Home); err != nil {
		return Order{}, err
	}
	sum := sha256.Sum256(e.Scan)
	if !mutant.Off("LT-3d") && (len(e.Scan) == 0 || len(e.Scan) > maxScan || hex.EncodeToString(sum[:]) != o.ScanSHA256) {
		return Order{}, ErrDocument
	}
	if _, err := Format.ParsePublicKey(o.AuthorityKey); err != nil {
		return Order{}, ErrKey
	}
	var err error
	if o.Scope.Subjects, err = s.subjects(ctx, o.Scope.Subjects, e.Accounts); err != nil {
		return Order{}, err
	}
	sealed, err := s.d.Vault.SealSystem(ctx, scanName(o.ID), e.Scan)
	if err != nil {
		return Order{}, err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := insert(ctx, tx, o, sealed); err != nil {
			return err
		}
		return s.leaf(ctx, tx, "legalorder.entered", p, o)
	})
	return o, err
}

// check holds an order to what the law wants in it.
func (o Order) check(now time.Time, home string) error {
	texts := []struct{ name, value string }{{"authority", o.Authority}, {"doc_no", o.DocNo}, {"law", o.Law}}
	if !o.SuppressUntil.IsZero() {
		texts = append(texts, struct{ name, value string }{"suppress_law", o.SuppressLaw})
	}
	for _, t := range texts {
		if strings.TrimSpace(t.value) == "" || len([]rune(t.value)) > longestText {
			return ErrIncomplete.With("field", t.name)
		}
	}
	switch {
	case !place.MatchString(o.Jurisdiction):
		return ErrIncomplete.With("field", "jurisdiction")
	case !now.Before(o.Expires):
		return ErrDays.With("why", "expires")
	case !o.Scope.From.Before(o.Scope.Until) || o.Scope.Until.After(o.Expires):
		return ErrDays.With("why", "span")
	case !o.SuppressUntil.IsZero() && (!o.SuppressUntil.After(now) || o.SuppressUntil.After(o.Expires)):
		return ErrDays.With("why", "suppress_until")
	}
	if err := categories(o.Scope.Categories); err != nil {
		return err
	}
	return o.lawfulAbroad(home)
}

// lawfulAbroad refuses an authority of another place than the stores' without
// the record of an approval.
func (o Order) lawfulAbroad(home string) error {
	a := o.Approval
	complete := strings.TrimSpace(a.Authority) != "" && strings.TrimSpace(a.DocNo) != "" && digest.MatchString(a.SHA256)
	if o.Jurisdiction != home && !complete && !mutant.Off("LT-3d") {
		return ErrForeign
	}
	return nil
}

func categories(all []holding.Category) error {
	if len(all) == 0 {
		return ErrScope.With("why", "categories")
	}
	for _, c := range all {
		if !slices.Contains(holding.Categories(), c) || c == holding.AccountSecret { // what signs in is not for others
			return ErrScope.With("why", string(c))
		}
	}
	return nil
}

// subjects resolves whom an order names: people who are known here, each once.
func (s *Service) subjects(ctx context.Context, handles []id.Handle, accounts []string) ([]id.Handle, error) {
	var all []id.Handle
	for _, h := range handles {
		p, err := s.d.People.ByHandle(ctx, h)
		if err != nil {
			return nil, known(err, string(h))
		}
		all = append(all, p.Handle)
	}
	for _, a := range accounts {
		p, err := s.d.People.ByAccount(ctx, a)
		if err != nil {
			return nil, known(err, a)
		}
		all = append(all, p.Handle)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) == 0 || len(all) > maxSubjects {
		return nil, ErrScope.With("why", "subjects")
	}
	return all, nil
}

func known(err error, who string) error {
	if errs.IsNotFound(err) {
		return ErrScope.With("why", who)
	}
	return err
}

func (o Order) about(subject id.Handle) bool { return slices.Contains(o.Scope.Subjects, subject) }

// leaf tells what happened to an order, and of nobody: the person is told by
// read event and disclosure.
func (s *Service) leaf(ctx context.Context, tx *db.Tx, kind string, p account.Principal, o Order) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Actor: audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session},
		Object: o.ID, Detail: map[string]string{
			"legal_order": o.ID, "state": o.State, "scan_sha256": o.ScanSHA256, "package_sha256": o.PackageSHA256,
			"jurisdiction": o.Jurisdiction, "expires": o.Expires.UTC().Format(time.RFC3339),
		},
	})
}
