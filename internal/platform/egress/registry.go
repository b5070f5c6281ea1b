package egress

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

//go:embed recipients.yaml
var recipientsFile []byte

// Recipient is one entry of the registry.
type Recipient struct {
	ID        string `yaml:"id"`
	LegalName string `yaml:"legal_name"`
	Contact   string `yaml:"contact"`
	Role      string `yaml:"role"`
	Region    string `yaml:"region"`
	Endpoint  string `yaml:"endpoint"`
	PIA       string `yaml:"pia"`
	Ops       []Op   `yaml:"ops"`

	Mechanism string `yaml:"-"` // cross-border mechanism, from configuration

	base *url.URL
}

// Op is one operation of a recipient.
type Op struct {
	Op        string            `yaml:"op"`
	Browser   bool              `yaml:"browser"` // the person's browser carries it out
	Mail      bool              `yaml:"mail"`    // over Permit.Dial
	Collect   bool              `yaml:"collect"` // something is fetched and nothing of a person is sent: Egress.Collect
	Methods   []string          `yaml:"methods"`
	Path      string            `yaml:"path"` // a segment "{name}" holds a number that the call declared
	Purposes  []string          `yaml:"purposes"`
	Basis     string            `yaml:"basis"`
	Fields    []string          `yaml:"fields"`
	Technical []string          `yaml:"technical"`
	Wire      map[string]string `yaml:"wire"`    // registered name by the protocol's, where they differ
	Headers   []string          `yaml:"headers"` // canonical names, beside the usual ones
	JSON      bool              `yaml:"json"`    // the body is a JSON object, not a form; inner members are named "outer.inner"
	Inner     []string          `yaml:"inner"`   // parameters that hold JSON objects: their members are named in their place
	Query     []string          `yaml:"query"`   // parameters, in the protocol's names, that stand in the address
	Large     bool              `yaml:"large"`   // an answer may be as long as MaxFile
	Consent   []string          `yaml:"consent"`
}

// Override is what an operator's configuration says about one recipient.
type Override struct {
	Endpoint  string            // https://host[:port][/base], smtps://host:port, smtp://host:port; http in demo mode only
	LegalName string            // who it is, for the policy and the register
	Contact   string            // how persons reach it
	Paths     map[string]string // path by operation, for gateways that differ
	Mechanism string            // id of the cross-border mechanism
	Region    string            // where it is, if not where the registry says
}

// Registry is the closed list of recipients of one deployment.
type Registry struct {
	recipients []Recipient
	demo       bool
	store      string
}

// Load reads the embedded registry for a profile ("mainland", "hongkong") and
// applies the operator's configuration by recipient id. In demo mode endpoints
// must be loopback and nothing else can be reached.
func Load(profile string, demo bool, overrides map[string]Override) (*Registry, error) {
	store := map[string]string{"mainland": "CN-mainland", "hongkong": "HK"}[profile]
	if store == "" {
		return nil, fmt.Errorf("recipients: unknown profile %q", profile)
	}
	all, err := parse(recipientsFile)
	if err != nil {
		return nil, err
	}
	g := &Registry{recipients: all, demo: demo, store: store}
	for id, o := range overrides {
		i := slices.IndexFunc(all, func(r Recipient) bool { return r.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("recipients: %q is not in the registry", id)
		}
		if err := all[i].apply(o); err != nil {
			return nil, fmt.Errorf("recipient %s: %w", id, err)
		}
	}
	for i := range all {
		if err := g.resolve(&all[i]); err != nil {
			return nil, fmt.Errorf("recipient %s: %w", all[i].ID, err)
		}
	}
	return g, nil
}

func parse(text []byte) ([]Recipient, error) {
	var all []Recipient
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("recipients: %w", err)
	}
	seen := map[string]bool{}
	for _, r := range all {
		if seen[r.ID] {
			return nil, fmt.Errorf("recipients: %s is there twice", r.ID)
		}
		seen[r.ID] = true
		if err := r.validate(); err != nil {
			return nil, fmt.Errorf("recipient %s: %w", r.ID, err)
		}
	}
	return all, nil
}

func (r Recipient) validate() error {
	if r.ID == "" || r.Region == "" || r.PIA == "" || len(r.Ops) == 0 {
		return errors.New("id, region, pia and ops are needed")
	}
	if !slices.Contains([]string{"processor", "handler", "joint", "authority", "infra"}, r.Role) {
		return fmt.Errorf("unknown role %q", r.Role)
	}
	for _, op := range r.Ops {
		if op.Op == "" || len(op.Purposes) == 0 || (len(op.Fields) == 0) != op.Collect {
			return errors.New("an operation needs a name, purposes and fields; one that collects sends none")
		}
		if op.Collect && op.Mail && r.Role != "infra" {
			return fmt.Errorf("operation %s: only a mailbox of the operator's own is collected from", op.Op)
		}
		if !slices.Contains([]string{"consent", "contract", "duty", "emergency", "public", "other_law"}, op.Basis) {
			return fmt.Errorf("operation %s: unknown basis %q", op.Op, op.Basis)
		}
		if r.Role == "handler" && !op.Collect && !slices.Contains(op.Consent, "separate.share") {
			return fmt.Errorf("operation %s: a handler needs separate.share (PIPL 23)", op.Op)
		}
		if err := op.classified(); err != nil {
			return err
		}
		if !op.Mail && (len(op.Methods) == 0 || op.Path == "") {
			return fmt.Errorf("operation %s: methods and path are needed", op.Op)
		}
	}
	return nil
}

func (r *Recipient) apply(o Override) error {
	for _, s := range []struct {
		to   *string
		from string
	}{
		{&r.Endpoint, o.Endpoint},
		{&r.LegalName, o.LegalName},
		{&r.Contact, o.Contact},
		{&r.Mechanism, o.Mechanism},
		{&r.Region, o.Region},
	} {
		if s.from != "" {
			*s.to = s.from
		}
	}
	for name, path := range o.Paths {
		i := slices.IndexFunc(r.Ops, func(op Op) bool { return op.Op == name })
		if i < 0 || path == "" || path[0] != '/' {
			return fmt.Errorf("path of operation %q: unknown operation, or not an absolute path", name)
		}
		r.Ops[i].Path = path
	}
	return nil
}

// resolve turns the endpoint into a URL and holds it to the mode.
func (g *Registry) resolve(r *Recipient) error {
	if r.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(r.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the endpoint is not scheme://host[:port][/base]")
	}
	if !slices.Contains(g.schemes(*r), u.Scheme) {
		return fmt.Errorf("scheme %q is not allowed", u.Scheme)
	}
	if u.Port() == "" {
		port := map[string]string{"https": "443", "http": "80", "smtps": "465", "smtp": "587", "imaps": "993"}[u.Scheme]
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !g.demo && ip.Unmap().IsLoopback() {
		return errors.New("loopback is allowed in demo mode only")
	}
	r.base = u
	return nil
}

func (g *Registry) schemes(r Recipient) []string {
	allowed := []string{"https"}
	switch {
	case r.Ops[0].Collect && r.Ops[0].Mail:
		return []string{"imaps"}
	case r.Ops[0].Mail:
		allowed = []string{"smtps", "smtp"}
	}
	if g.demo && !r.Ops[0].Mail {
		allowed = append(allowed, "http")
	}
	return allowed
}

// Recipients lists those to whom something of a person is sent, for the policy's
// table of recipients.
func (g *Registry) Recipients() []Recipient {
	return slices.DeleteFunc(slices.Clone(g.recipients), func(r Recipient) bool { return r.Ops[0].Collect })
}

// find looks a call up; whatever is not registered is ErrUnknown.
func (g *Registry) find(c Call) (Recipient, Op, error) {
	i := slices.IndexFunc(g.recipients, func(r Recipient) bool { return r.ID == c.Recipient })
	if i < 0 {
		return Recipient{}, Op{}, ErrUnknown.With("recipient", c.Recipient)
	}
	r := g.recipients[i]
	j := slices.IndexFunc(r.Ops, func(op Op) bool { return op.Op == c.Op })
	if j < 0 {
		return r, Op{}, ErrUnknown.With("recipient", c.Recipient).With("op", c.Op)
	}
	op := r.Ops[j]
	if c.Purpose == "" && len(op.Purposes) != 1 || c.Purpose != "" && !slices.Contains(op.Purposes, c.Purpose) {
		return r, op, ErrUnknown.With("op", c.Op).With("purpose", c.Purpose)
	}
	for _, f := range c.Fields {
		if !mutant.Off("TY-4.1", "LT-3.0") && !slices.Contains(op.Fields, f) && !slices.Contains(op.Technical, f) {
			return r, op, ErrUnknown.With("op", c.Op).With("field", f)
		}
	}
	if r.base == nil {
		return r, op, ErrSetting.With("recipient", r.ID)
	}
	return r, op, nil
}

// Configured lists the recipients that have an endpoint here.
func (g *Registry) Configured() []Recipient {
	return slices.DeleteFunc(g.Recipients(), func(r Recipient) bool { return r.base == nil })
}

// NeedsAgreement tells whether a recipient works on the operator's behalf
// (PIPL 21).
func (g *Registry) NeedsAgreement(r Recipient) bool { return r.Role == "processor" }

// NeedsAssessment tells whether sending to a recipient is entrusting, providing
// or exporting (PIPL 55). The operator's own mail server, in the region of the
// stores, is none of these.
func (g *Registry) NeedsAssessment(r Recipient) bool { return r.Role != "infra" || g.abroad(r) }

// Abroad lists the recipients that stand in another region than the stores.
func (g *Registry) Abroad() []Recipient {
	return slices.DeleteFunc(g.Recipients(), func(r Recipient) bool { return !g.abroad(r) })
}

func (g *Registry) abroad(r Recipient) bool { return r.Region != g.store }
