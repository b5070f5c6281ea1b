package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
)

var errPending = errors.New("pending")

// Egress is the door.
type Egress struct{}

// New makes the door.
func New(d Deps) *Egress { return &Egress{} }

// Begin begins a call.
func (e *Egress) Begin(ctx context.Context, c Call) (*Permit, error) { return nil, errPending }

// Permit is one permitted call.
type Permit struct{}

// Client reaches the endpoint only.
func (p *Permit) Client() *http.Client { return nil }

// URL is the address of the operation: scheme, host and registered path.
func (p *Permit) URL() string { return "" }

// Host is host:port of the endpoint.
func (p *Permit) Host() string { return "" }

// Dial connects to the endpoint, for mail.
func (p *Permit) Dial(ctx context.Context) (net.Conn, error) { return nil, errPending }

// Finish records the outcome.
func (p *Permit) Finish(ctx context.Context, o Outcome) error { return errPending }

// Registry is the list of recipients.
type Registry struct{}

// Override is what an operator's configuration says about one recipient.
type Override struct {
	Endpoint  string // https://host:port, smtps://..., smtp://... ; http and loopback in demo mode only
	LegalName string
	DPA       string // SHA-256 of the agreement
	DPAUntil  string // date
}

// Load reads the embedded registry of a profile ("mainland", "hongkong") and the overrides by recipient id.
func Load(profile string, demo bool, overrides map[string]Override) (*Registry, error) {
	return nil, errPending
}
