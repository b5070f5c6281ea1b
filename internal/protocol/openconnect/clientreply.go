package openconnect

import (
	"encoding/xml"
	"maps"
	"slices"
	"strings"
)

// FieldGroup is the name of the select by which a person chooses a group.
const FieldGroup = "group_list"

// Answers are a client's answers to a form by field name. Unlike Fields they can
// be wiped; printing shows no value.
type Answers map[string]Secret

// Zero overwrites all values.
func (a Answers) Zero() {
	for _, s := range a {
		s.Zero()
	}
}

// Init is the document that begins an authentication.
type Init struct {
	Version string // of the client, such as "v9.01"
	Device  string // such as "linux-64"
	URL     string // that the person typed: its path may name a group
	Group   string // value of the option chosen from a form, "" before
	// NoCertificate answers a request for a certificate which the client has not.
	NoCertificate bool
}

// AppendTo appends the document, the opaque element of to in it.
func (i Init) AppendTo(b []byte, to Answer) []byte {
	w := clientWriter("init", i.Version, i.Device)
	w.buf.Write(to.OpaqueRaw)
	w.plain("group-access", i.URL)
	if i.Group != "" {
		w.plain("group-select", i.Group)
	}
	if i.NoCertificate {
		w.open("client-cert-fail")
		w.close("client-cert-fail")
	}
	return w.end(b)
}

// AppendReply appends the answer to a form, in exactly as much memory of its own
// as it needs when b is nil, so that it can be wiped as a whole. Names of fields
// become elements, so those that are no XML names are left out; some have an
// element of another name, as stock clients do it.
func AppendReply(b []byte, version, device string, to Answer, fields Answers) []byte {
	w := clientWriter("auth-reply", version, device)
	w.buf.Grow(len(to.OpaqueRaw) + replyRoom(fields)) // growing later would leave copies
	w.buf.Write(to.OpaqueRaw)
	w.open("auth")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if element := elementOf(name); element != "" {
			w.secret(element, fields[name])
		}
	}
	w.close("auth")
	if group, ok := fields[FieldGroup]; ok {
		w.secret("group-select", group)
	}
	out := w.end(b)
	clear(w.buf.Bytes())
	return out
}

// replyRoom is the most that fields become: an escaped byte is at most eight.
func replyRoom(fields Answers) int {
	n := 256
	for name, s := range fields {
		n += 2*len(name) + 2*len("password") + 16 + 8*s.Len()
	}
	return n
}

// elementOf is the element under auth that a field becomes, "" for none.
func elementOf(name string) string {
	switch {
	case name == FieldAnswer || name == "whichpin" || name == "new_password":
		return FieldPassword
	case name == "verify_pin" || name == "verify_password" || name == FieldGroup || !plainName(name):
		return ""
	}
	return name
}

func clientWriter(typ, version, device string) *writer {
	w := &writer{}
	w.buf.WriteString(xml.Header)
	w.open("config-auth", "client", "vpn", "type", typ, "aggregate-auth-version", "2")
	w.plain("version", version, "who", "vpn")
	w.plain("device-id", device)
	return w
}

// plainName tells whether s may be the name of an element: letters, digits,
// "-", "_" and ".", not beginning with one of the latter or a digit.
func plainName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '-' && r != '.' && (r < '0' || r > '9')) {
			return false
		}
	}
	return s != ""
}

// MatchGroup finds the option that a person means: by value, by label, or by the
// only label that begins so, in any case. "" when there is none or several.
func MatchGroup(options []Group, wanted string) string {
	begins := ""
	for _, o := range options {
		if o.Value == wanted || strings.EqualFold(o.Label, wanted) {
			return o.Value
		}
	}
	for _, o := range options {
		if len(o.Label) >= len(wanted) && strings.EqualFold(o.Label[:len(wanted)], wanted) {
			if begins != "" {
				return ""
			}
			begins = o.Value
		}
	}
	return begins
}
