package gwlink

import "net/netip"

// CertificateRequest asks for a certificate of an SSL server's own key.
type CertificateRequest struct {
	Server string `json:"server"`
	CSR    []byte `json:"csr"` // DER, PKCS #10
}

// CertificateAnswer is the issued chain, leaf first, DER.
type CertificateAnswer struct {
	Chain [][]byte `json:"chain"`
}

// MaxPeerChain is how many certificates behind a client's own are forwarded.
const MaxPeerChain = 4

// LoginRequest is one round of a login. The node forwards what the person
// typed and keeps nothing.
type LoginRequest struct {
	Gateway         string            `json:"gateway"`
	Server          string            `json:"server"`
	Conversation    string            `json:"conversation,omitempty"` // empty in the first round
	SourceIP        netip.Addr        `json:"source_ip"`
	Group           string            `json:"group,omitempty"`  // name of the chosen one; empty = none was chosen yet
	Fields          map[string]string `json:"fields,omitempty"` // form field name to value
	Device          Device            `json:"device,omitzero"`
	PeerCertificate []byte            `json:"peer_certificate,omitempty"` // DER of the leaf; possession was proven by TLS
	PeerChain       [][]byte          `json:"peer_chain,omitempty"`       // DER; what the client sent to prove whence the leaf is
}

// Device is what a client says of the machine that it runs on: nothing of it is
// proven.
type Device struct {
	ID       string `json:"id,omitempty"`       // of mobile clients
	Platform string `json:"platform,omitempty"` // such as linux-64
	Model    string `json:"model,omitempty"`
}

// MaxDeviceText is the longest thing that a client may say of its device, in bytes.
const MaxDeviceText = 200

// Fits reports whether nothing in it is longer than MaxDeviceText.
func (d Device) Fits() bool { return max(len(d.ID), len(d.Platform), len(d.Model)) <= MaxDeviceText }

// Outcome of a login round.
type Outcome string

// Outcomes. OutcomeUnavailable is no judgement about the person: control says
// it when a limit is used up or the server is not in service, the agent when
// control is away.
const (
	OutcomeForm        Outcome = "form"
	OutcomeGranted     Outcome = "granted"
	OutcomeRefused     Outcome = "refused"     // final for this conversation: 401
	OutcomeUnavailable Outcome = "unavailable" // 503 with X-Reason
)

// LoginAnswer is control's answer to a round.
type LoginAnswer struct {
	Outcome      Outcome `json:"outcome"`
	Conversation string  `json:"conversation,omitempty"`
	Form         *Form   `json:"form,omitempty"`
	Grant        []byte  `json:"grant,omitempty"`  // see SignGrant
	Reason       string  `json:"reason,omitempty"` // shown to the person
	// Failed says that a factor was wrong: the node counts it against the source.
	Failed bool `json:"failed,omitempty"`
	// Client is the SSL client that the node counts what was in vain for, beside
	// the source; empty if there is none by that name.
	Client string `json:"client,omitempty"`
}

// Form is what the person fills next.
type Form struct {
	ID      string  `json:"id"` // "main" or "challenge" (openconnect fills a challenge by token)
	Message string  `json:"message,omitempty"`
	Error   string  `json:"error,omitempty"`
	Fields  []Field `json:"fields"`           // none: the client shows the error and ends
	Groups  []Group `json:"groups,omitempty"` // to choose among; Group is the one that is chosen
	Group   string  `json:"group,omitempty"`
}

// Field is one input of a Form.
type Field struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Kind  string `json:"kind"` // "text", "password" or "hidden"
	Value string `json:"value,omitempty"`
}
