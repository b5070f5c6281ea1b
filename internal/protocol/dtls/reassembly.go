package dtls

const (
	// maxMessage bounds one handshake message. No message of ours is longer than
	// a ClientHello, and those stay far below.
	maxMessage = 4096
	// maxAhead is how many messages after the next one are kept when they arrive
	// early. A flight has at most three.
	maxAhead = 3
)

// message is a complete handshake message in the order of the sequence.
type message struct {
	typ  byte
	seq  uint16
	body []byte
}

// reassembler puts the fragments of one epoch together and hands out messages in
// sequence. It holds at most (1+maxAhead) messages of maxMessage bytes.
type reassembler struct {
	next  uint16
	parts [1 + maxAhead]*partial // index seq - next
}

// partial is a message of which fragments are missing.
type partial struct {
	typ     byte
	body    []byte
	have    []bool
	missing int
}

// add takes a fragment; repeated reports one of a message already handed out.
// Fragments that contradict earlier ones or the bounds are dropped.
func (r *reassembler) add(f fragment) (repeated bool) {
	ahead := int(int16(f.seq - r.next))
	if ahead < 0 {
		return true
	}
	if ahead > maxAhead || f.length > maxMessage {
		return false
	}
	p := r.parts[ahead]
	if p == nil {
		p = &partial{typ: f.typ, body: make([]byte, f.length), have: make([]bool, f.length), missing: f.length}
		r.parts[ahead] = p
	}
	p.fill(f)
	return false
}

func (p *partial) fill(f fragment) {
	if p.typ != f.typ || len(p.body) != f.length {
		return
	}
	for i, c := range f.body {
		if at := f.offset + i; !p.have[at] {
			p.body[at], p.have[at] = c, true
			p.missing--
		}
	}
}

// pop returns the next message once it is complete; ok is false until then.
func (r *reassembler) pop() (m message, ok bool) {
	p := r.parts[0]
	if p == nil || p.missing > 0 {
		return message{}, false
	}
	m = message{typ: p.typ, seq: r.next, body: p.body}
	copy(r.parts[:], r.parts[1:])
	r.parts[maxAhead] = nil
	r.next++
	return m, true
}
