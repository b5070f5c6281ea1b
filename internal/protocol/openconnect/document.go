package openconnect

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/url"
	"strings"
)

const (
	// MaxDocument bounds the body of an authentication request.
	MaxDocument = 256 << 10

	maxDepth  = 16
	maxFields = 64 // form fields, capabilities, MAC addresses: each
)

// DocumentType is the type attribute of a client's config-auth document.
type DocumentType string

// Types of client documents.
const (
	TypeInit      DocumentType = "init"
	TypeAuthReply DocumentType = "auth-reply"
	TypeLogout    DocumentType = "logout"
)

// Errors of ParseDocument.
var (
	ErrTooLarge = errors.New("openconnect: document too large")
	ErrDocument = errors.New("openconnect: malformed document")
)

// Document is what a client posts during authentication.
type Document struct {
	Type     DocumentType
	Version  string // of the client, such as "v9.01-3"
	DeviceID string // linux-64, win, mac-intel, android, apple-ios ...
	// DeviceAttributes are platform-version, device-type and unique-id of mobile
	// clients; they are personal data.
	DeviceAttributes map[string]string
	MACAddresses     []string
	Capabilities     []string // auth-method names

	GroupAccess string // the whole URL typed by the user
	GroupSelect string // the value, not the label, of a group_list option

	// Fields are the children of auth: username, password, secondary_password ...
	Fields Fields

	// OpaqueRaw is the opaque element as the client sent it, Opaque its text, as far
	// as it is of our own making and has no children. Both
	// are empty when there was none.
	OpaqueRaw []byte
	Opaque    string

	ClientCertFail bool
	SessionToken   Secret
	SessionID      string
	HostScanToken  string
}

// ParseDocument reads a request body. It is XML, unless the content type says
// application/x-www-form-urlencoded, the fall-back of clients whose XML POST
// failed; that becomes an auth-reply. Older openconnect says so of its XML too,
// so a body that begins with "<" is XML whatever its type. Elements that are not
// known are skipped. ErrTooLarge and ErrDocument are the only errors.
func ParseDocument(contentType string, body []byte) (Document, error) {
	if len(body) > MaxDocument {
		return Document{}, ErrTooLarge
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err == nil && media == "application/x-www-form-urlencoded" && !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("<")) {
		return parseForm(body)
	}
	return parseXML(body)
}

func parseForm(body []byte) (Document, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil || len(values) > maxFields {
		return Document{}, ErrDocument
	}
	d := Document{Type: TypeAuthReply, Fields: Fields{}}
	for name, v := range values {
		if name == "group_list" {
			d.GroupSelect = v[0]
			continue
		}
		d.Fields[name] = v[0]
	}
	return d, nil
}

// parseXML walks the tokens once; path holds the names of the open elements.
func parseXML(body []byte) (Document, error) {
	p := documentParser{dec: xml.NewDecoder(bytes.NewReader(body)), body: body}
	p.doc.Fields = Fields{}
	for {
		start := p.dec.InputOffset()
		tok, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || !p.token(tok, int(start)) {
			return Document{}, ErrDocument
		}
	}
	switch p.doc.Type {
	case TypeInit, TypeAuthReply, TypeLogout:
		return p.doc, nil
	}
	return Document{}, ErrDocument
}

type documentParser struct {
	dec  *xml.Decoder
	body []byte
	doc  Document

	path   []string
	text   strings.Builder // of the innermost open element that has no children
	opaque int             // offset of an opaque element, valid while inside it
	mixed  bool            // the innermost element has had children
}

func (p *documentParser) token(tok xml.Token, offset int) bool {
	switch tok := tok.(type) {
	case xml.StartElement:
		return p.start(tok, offset)
	case xml.EndElement:
		return p.end()
	case xml.CharData:
		p.text.Write(tok)
	case xml.Directive:
		return false // a DOCTYPE has no business here
	}
	return true
}

func (p *documentParser) start(e xml.StartElement, offset int) bool {
	if len(p.path) >= maxDepth {
		return false
	}
	p.path = append(p.path, e.Name.Local)
	p.text.Reset()
	p.mixed = false
	switch p.where() {
	case "config-auth":
		if p.doc.Type != "" {
			return false // one root only
		}
		p.doc.Type = DocumentType(attr(e, "type"))
	case "config-auth/opaque":
		p.opaque = offset
	case "config-auth/device-id":
		p.deviceAttributes(e)
	case "config-auth/client-cert-fail":
		p.doc.ClientCertFail = true
	}
	return true
}

func (p *documentParser) deviceAttributes(e xml.StartElement) {
	for _, a := range e.Attr {
		if len(p.doc.DeviceAttributes) >= maxFields {
			return
		}
		if p.doc.DeviceAttributes == nil {
			p.doc.DeviceAttributes = map[string]string{}
		}
		p.doc.DeviceAttributes[a.Name.Local] = a.Value
	}
}

func (p *documentParser) end() bool {
	ok := p.value(p.where(), p.text.String())
	p.path = p.path[:len(p.path)-1]
	p.text.Reset()
	p.mixed = true
	return ok
}

// where returns the path of the innermost element, the root's name first.
func (p *documentParser) where() string { return strings.Join(p.path, "/") }

// value takes the text of an element that ends. It reports whether the document
// is still within its bounds.
func (p *documentParser) value(where, text string) bool {
	d := &p.doc
	switch where {
	case "config-auth/version":
		d.Version = text
	case "config-auth/device-id":
		d.DeviceID = text
	case "config-auth/group-access":
		d.GroupAccess = text
	case "config-auth/group-select":
		d.GroupSelect = text
	case "config-auth/session-token":
		d.SessionToken = NewSecret([]byte(text))
	case "config-auth/session-id":
		d.SessionID = text
	case "config-auth/host-scan-token":
		d.HostScanToken = text
	case "config-auth/opaque":
		d.Opaque, d.OpaqueRaw = text, bytes.Clone(p.body[p.opaque:p.dec.InputOffset()])
	case "config-auth/capabilities/auth-method":
		d.Capabilities = append(d.Capabilities, text)
	case "config-auth/mac-address-list/mac-address":
		d.MACAddresses = append(d.MACAddresses, text)
	default:
		p.field(text)
	}
	return len(d.Capabilities) <= maxFields && len(d.MACAddresses) <= maxFields && len(d.Fields) <= maxFields
}

// field takes the leaves directly under auth; structures below it are skipped.
func (p *documentParser) field(text string) {
	if len(p.path) == 3 && p.path[0] == "config-auth" && p.path[1] == "auth" && !p.mixed {
		p.doc.Fields[p.path[2]] = text
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
