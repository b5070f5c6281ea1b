// Package egress is the only way out of the control plane: nothing else dials.
//
// A caller names a registered recipient, an operation and the names of the
// fields that it will send. Begin checks the registry, the agreement with the
// recipient, the impact assessment and the consent gate, and commits an intent to the disclosure ledger before the first byte; the
// permit that it returns reaches that endpoint for that operation and nothing
// else.
//
//	Begin ─ registry ─ papers ─ gate ─ ledger: intent ─▶ Permit ── Finish ─▶ done | failed | unknown
//	                                              └─ (crash) ─────▶ intent: "may have been sent"
//
// It is not for the tunnel's packets (another process) and not for browsers:
// an operation that the browser carries out is recorded here, its permit gives
// the address and refuses to dial. Fetching from a mailbox of the operator's own
// discloses nothing: Collect has no entry in the ledger.
//
// Invariants: no intent, no byte; names of fields but never values are kept;
// a request's parameters are those declared; nothing in its address or headers;
// no redirects; TLS 1.2 or newer; the resolved address is public, except for
// recipients of role infra; in demo mode every address is loopback, and only
// there; an answer ends at 1 MiB.
package egress

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/metric"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Errors.
var (
	ErrUnknown  = errs.New(errs.Forbidden, "egress.not_registered")   // recipient, operation or field is not in the registry
	ErrSetting  = errs.New(errs.Unavailable, "egress.not_configured") // the recipient has no endpoint here
	ErrDPA      = errs.New(errs.Forbidden, "egress.no_agreement")     // a processor without a live agreement
	ErrPIA      = errs.New(errs.Forbidden, "egress.no_assessment")    // no live impact assessment
	ErrTransfer = errs.New(errs.LegalBlock, "egress.no_mechanism")    // data leave the region without a mechanism
	ErrLedger   = errs.New(errs.Unavailable, "egress.ledger")         // the intent could not be committed: nothing was sent
	ErrAddress  = errs.New(errs.Forbidden, "egress.address_refused")
	ErrEndpoint = errs.New(errs.Forbidden, "egress.endpoint_refused") // a request beyond the permit, or a redirect
	ErrTooLarge = errs.New(errs.Unavailable, "egress.answer_too_large")
)

// Call is what a caller wants to send.
type Call struct {
	Recipient string // id in the registry, "idv.aliyun"
	Op        string // operation of that recipient
	Subject   id.Handle
	Purpose   string   // one of the operation's; empty if it has exactly one
	Fields    []string // names of what is sent, each registered for the operation
}

// Intent is what the ledger commits before the first byte.
type Intent struct {
	Subject   id.Handle
	Recipient string
	LegalName string
	Role      string
	Region    string
	Op        string
	Purpose   string
	Basis     string
	Mechanism string // cross-border mechanism, empty if none is needed
	Fields    []string
	Order     string // of an authority, that it is done for; then nothing is dialled
}

// Receipt names a committed intent.
type Receipt struct{ ID string }

// Outcome is how a call ended.
type Outcome string

// Outcomes. Unknown: the request may have been carried out.
const (
	Done    Outcome = "done"
	Failed  Outcome = "failed"
	Unknown Outcome = "unknown"
)

// Ledger keeps disclosures. The audit module fills it.
type Ledger interface {
	BeginDisclosure(ctx context.Context, i Intent) (Receipt, error)
	FinishDisclosure(ctx context.Context, r Receipt, o Outcome) error
}

// Gate says whether a purpose has a live basis for a person; nil opens. The
// consent module fills it. It is asked for operations that list consent.
type Gate interface {
	Gate(ctx context.Context, subject id.Handle, purpose string) error
}

// Deps is what an Egress needs.
type Deps struct {
	Registry *Registry
	Ledger   Ledger
	Gate     Gate
	Papers   Papers // nil: nothing is sent
	// Transfers decides about recipients elsewhere; nil: nothing is sent to them.
	Transfers Transfers
	Clock     clock.Clock
	Roots     *x509.CertPool // nil = the system's
	Lookup    Lookup         // nil = the system's resolver
}

// Lookup resolves a name, as net.Resolver.LookupNetIP does.
type Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Limits of every call.
const (
	ConnectTimeout = 5 * time.Second
	TotalTimeout   = 15 * time.Second
	MaxAnswer      = 1 << 20
	MaxFile        = 256 << 20 // of an operation with large answers: a bill
	FileTimeout    = 10 * time.Minute
)

// Egress is the door. It is safe for concurrent use.
type Egress struct {
	d     Deps
	calls metric.Counts // by recipient, operation and outcome
}

// Calls counts the calls of this process by recipient, operation and outcome:
// "refused" before anything was sent, else how the call ended.
func (e *Egress) Calls() *metric.Counts { return &e.calls }

// New returns the door.
func New(d Deps) *Egress {
	if d.Lookup == nil {
		d.Lookup = net.DefaultResolver.LookupNetIP
	}
	return &Egress{d: d}
}

// Begin checks a call, commits its intent and returns the permit. The caller
// must Finish the permit; a permit that is never finished stays in the register
// as "may have been sent". Begin must not run inside a transaction: the intent
// has its own.
func (e *Egress) Begin(ctx context.Context, c Call) (*Permit, error) {
	r, op, err := e.d.Registry.find(c)
	if err != nil {
		return nil, err
	}
	if op.Collect {
		return nil, ErrUnknown.With("recipient", c.Recipient).With("op", c.Op)
	}
	p, err := e.begin(ctx, c, r, op)
	if err != nil {
		e.calls.Add(r.ID, op.Op, "refused")
	}
	return p, err
}

// Collect returns the permit of an operation that fetches and sends nothing of a
// person: nothing is disclosed by it, so that the register has no entry. A
// mailbox stands where the stores do, because what is in it is personal too:
// ErrTransfer otherwise.
func (e *Egress) Collect(recipient, op string) (*Permit, error) {
	r, o, err := e.d.Registry.find(Call{Recipient: recipient, Op: op})
	switch {
	case err != nil:
		return nil, err
	case !o.Collect:
		return nil, ErrUnknown.With("recipient", recipient).With("op", op)
	case o.Mail && e.d.Registry.abroad(r):
		e.calls.Add(r.ID, o.Op, "refused")
		return nil, ErrTransfer.With("recipient", r.ID)
	}
	return e.permit(r, o, nil, Receipt{}), nil
}

func (e *Egress) begin(ctx context.Context, c Call, r Recipient, op Op) (*Permit, error) {
	if c.Purpose == "" {
		c.Purpose = op.Purposes[0]
	}
	if err := e.lawful(ctx, c, r, op); err != nil {
		return nil, err
	}
	if len(op.Consent) > 0 && !mutant.Off("LT-3b") {
		if err := e.d.Gate.Gate(ctx, c.Subject, c.Purpose); err != nil {
			return nil, err
		}
	}
	mechanism := ""
	if e.d.Registry.abroad(r) {
		mechanism = r.Mechanism
		if err := e.transfer(ctx, c, r, op); err != nil {
			return nil, err
		}
	}
	receipt, err := e.d.Ledger.BeginDisclosure(ctx, Intent{
		Subject: c.Subject, Recipient: r.ID, LegalName: r.LegalName, Role: r.Role, Region: r.Region,
		Op: op.Op, Purpose: c.Purpose, Basis: op.Basis, Mechanism: mechanism, Fields: c.Fields,
	})
	if err != nil {
		return nil, errs.Wrap(errs.Unavailable, ErrLedger.Code, fmt.Errorf("committing the intent: %w", err))
	}
	return e.permit(r, op, c.Fields, receipt), nil
}
