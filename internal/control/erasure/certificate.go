package erasure

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/scan"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Format names the form of a certificate.
const Format = "skybridge-erasure/v1"

// Certified is the type of the entry that a certificate is bound to. Its detail is
// of nobody, so that it opens for whoever has the certificate.
const Certified = "erasure.certified"

// Statement is what a certificate says. It holds no personal data: a handle,
// which leads to nobody any more, codes and times.
type Statement struct {
	Case       string      `json:"case"`
	Handle     id.Handle   `json:"handle"`
	Trigger    Trigger     `json:"trigger"`
	AskedAt    time.Time   `json:"asked_at"`
	Effective  time.Time   `json:"effective_at"` // no key opens anything from then on
	Complete   time.Time   `json:"complete_at"`  // when the last backup of a key is gone
	Destroyed  []string    `json:"destroyed"`    // tables whose rows were deleted
	Keys       []string    `json:"keys"`         // classes whose keys were destroyed
	Kept       []Kept      `json:"kept"`         // what a law keeps, and until when
	Recipients []Confirmed `json:"recipients"`   // who was sent something, and was told
	Settled    bool        `json:"settled"`      // what was owed was settled by hand; the paper is in the log, not here
	Scan       Sought      `json:"scan"`
	Limits     []string    `json:"limits"` // what this cannot show
}

// Kept is what a law keeps.
type Kept struct {
	Table string `json:"table"`
	Class string `json:"class"`
	Law   string `json:"law"`
	Until string `json:"until"`
}

// Confirmed is a recipient, and when it confirmed.
type Confirmed struct {
	Recipient string     `json:"recipient"`
	LegalName string     `json:"legal_name"`
	At        *time.Time `json:"acknowledged_at,omitempty"`
}

// Sought sums up the scan.
type Sought struct {
	Values int      `json:"values"`
	Forms  int      `json:"forms"`
	Files  int64    `json:"files"`
	Bytes  int64    `json:"bytes"`
	Cells  int64    `json:"cells"`
	Hits   int      `json:"hits"`
	Unread []string `json:"unread"`
	SHA256 string   `json:"report_sha256"`
}

// Certificate is a statement with the proof that the log holds it. SHA-256 of
// the statement, as compact JSON, is in the entry's detail; SHA-256 of salt and
// detail is the commitment of the leaf; the leaf is proven in the checkpoint.
type Certificate struct {
	Format     string          `json:"format"`
	Statement  json.RawMessage `json:"statement"`
	Salt       []byte          `json:"salt"`   // base64
	Detail     []byte          `json:"detail"` // base64 of JSON
	Inclusion  Inclusion       `json:"inclusion"`
	Checkpoint string          `json:"checkpoint"`
}

// Inclusion proves the entry in the checkpoint.
type Inclusion struct {
	Index  int64    `json:"index"`
	Leaf   string   `json:"leaf"`
	Hashes []string `json:"hashes"` // base64
}

// Certificate returns the certificate of a case; ErrNotYet before there is one.
func (s *Service) Certificate(ctx context.Context, caseID string) (json.RawMessage, error) {
	c, err := byID(ctx, s.d.DB, caseID)
	if err == nil && c.certificate == "" {
		err = ErrNotYet
	}
	return json.RawMessage(c.certificate), err
}

// certify writes the certificate. There is none without a search that found
// nothing: the step comes after that of the scan.
func (s *Service) certify(ctx context.Context, c Case) error {
	if err := s.d.Vault.DestroySystem(ctx, c.secret()); err != nil {
		return err
	}
	fault.Point("erasure-after-secret")
	statement, err := s.statement(ctx, c)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(statement)
	leaf, err := s.d.Audit.Record(ctx, audit.Event{Type: Certified, Actor: byJob, Detail: map[string]string{"statement": hex.EncodeToString(sum[:])}})
	if err != nil {
		return err
	}
	opened, err := s.d.Audit.Reveal(ctx, vault.Ticket{}, leaf)
	if err != nil {
		return err
	}
	prover, err := s.d.Audit.Prover(ctx)
	if err != nil {
		return err
	}
	hashes, err := prover.Inclusion(leaf.Index)
	if err != nil {
		return err
	}
	cert := Certificate{
		Format: Format, Statement: statement, Salt: opened.Salt, Detail: opened.Payload, Checkpoint: string(prover.Note),
		Inclusion: Inclusion{Index: leaf.Index, Leaf: string(leaf.Text()), Hashes: []string{}},
	}
	for _, h := range hashes {
		cert.Inclusion.Hashes = append(cert.Inclusion.Hashes, base64.StdEncoding.EncodeToString(h[:]))
	}
	text, err := json.Marshal(cert)
	if err != nil {
		return err
	}
	// The desk first: after the last step nobody comes back to tell it.
	if err := s.finish(ctx, c); err != nil {
		return err
	}
	fault.Point("erasure-after-desk")
	return s.pass(ctx, c, func(_ *db.Tx, next *Case) error {
		next.certificate = string(text)
		return nil
	})
}

// statement is compact JSON without characters that an encoder of HTML would
// write otherwise: its bytes are what is hashed.
func (s *Service) statement(ctx context.Context, c Case) ([]byte, error) {
	outcomes, err := outcomesOf(ctx, s.d.DB, c.ID)
	if err != nil {
		return nil, err
	}
	told, err := recipientsOf(ctx, s.d.DB, c.ID)
	if err != nil {
		return nil, err
	}
	keys, err := s.doomed(ctx, c)
	if err != nil {
		return nil, err
	}
	var report scan.Report
	if err := json.Unmarshal([]byte(c.report), &report); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(c.report))
	st := Statement{
		Case: c.ID, Handle: c.Subject, Trigger: c.Trigger, AskedAt: c.AskedAt.UTC(), Effective: c.EffectiveAt.UTC(), Complete: c.CompleteAt.UTC(),
		Destroyed: []string{}, Keys: keys, Kept: []Kept{}, Recipients: []Confirmed{}, Settled: c.settlement != "", Limits: c.limits(s.d.Limits()),
		Scan: Sought{
			Values: report.Values, Forms: report.Forms, Files: report.Files, Bytes: report.Bytes, Cells: report.Cells,
			Hits: len(report.Hits), Unread: slices.Clone(report.Unread), SHA256: hex.EncodeToString(sum[:]),
		},
	}
	for _, o := range outcomes {
		if o.Class == "" {
			st.Destroyed = append(st.Destroyed, o.Table)
			continue
		}
		st.Kept = append(st.Kept, o.kept())
	}
	for _, r := range told {
		one := Confirmed{Recipient: r.ID, LegalName: r.LegalName}
		if !r.AcknowledgedAt.IsZero() {
			at := r.AcknowledgedAt.UTC()
			one.At = &at
		}
		st.Recipients = append(st.Recipients, one)
	}
	text, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	err = json.Compact(&compact, text)
	return compact.Bytes(), err
}

func (o Outcome) kept() Kept { return Kept{o.Table, o.Class, o.Law, o.Until} }

// limitSerials says that serials of revoked certificates were not searched for.
const limitSerials = "serials_in_revocation_lists"

func (c Case) limits(all []string) []string {
	if c.Client == "" {
		return all
	}
	return append(slices.Clone(all), limitSerials)
}
