package tun

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// TCP flag bits that matter to joining and cutting.
const (
	tcpFIN = 0x01
	tcpPSH = 0x08
	tcpACK = 0x10
	tcpCWR = 0x80
)

const (
	maxGroups  = 128
	maxJoined  = 65535
	maxMembers = 64
)

// Writer joins consecutive segments of TCP flows into super-packets and writes
// them to a queue. It belongs to one goroutine. The order of packets within a
// flow is kept; joined packets were verified, others go through as they are.
type Writer struct {
	q      Queue
	groups []group
	n      int
}

type group struct {
	parts   [][]byte // virtio header, first packet, payloads of the others
	head    [HeaderLen]byte
	flow    flow
	length  int // of the joined packet
	nextSeq uint32
	closed  bool
}

// flow describes a packet that may be joined.
type flow struct {
	ipLen, headLen, payload int
	ok                      bool
}

// NewWriter returns a Writer to q.
func NewWriter(q Queue) *Writer {
	return &Writer{q: q, groups: make([]group, maxGroups)}
}

// Reset makes q the queue that is written to.
func (w *Writer) Reset(q Queue) { w.q = q }

// Write writes packets, any number. It changes headers of packets and needs
// them until it returns. It writes all it can and returns the first error.
func (w *Writer) Write(packets [][]byte) error {
	var first error
	for _, p := range packets {
		if w.n == maxGroups {
			first = errors.Join(first, w.flush())
		}
		w.add(p)
	}
	if err := w.flush(); first == nil {
		first = err
	}
	return first
}

func (w *Writer) add(p []byte) {
	f, push := parseFlow(p)
	if f.ok && w.join(p, f, push) {
		return
	}
	g := &w.groups[w.n]
	w.n++
	g.parts = append(g.parts[:0], g.head[:], p)
	g.flow, g.length, g.closed = f, len(p), !f.ok || push
	if f.ok {
		g.nextSeq = binary.BigEndian.Uint32(p[f.ipLen+4:]) + uint32(f.payload)
	}
}

// join appends p to the newest group of its flow. A packet of the flow that
// does not fit closes that group, so that order holds.
func (w *Writer) join(p []byte, f flow, push bool) bool {
	for i := w.n - 1; i >= 0; i-- {
		g := &w.groups[i]
		if !g.flow.ok || !sameFlow(g.parts[1], g.flow, p, f) {
			continue
		}
		if g.closed || !g.fits(p, f) {
			g.closed = true
			return false
		}
		g.append(p, f, push)
		return true
	}
	return false
}

func (g *group) fits(p []byte, f flow) bool {
	first := g.parts[1]
	seq := binary.BigEndian.Uint32(p[f.ipLen+4:])
	return seq == g.nextSeq && f.headLen == g.flow.headLen && f.payload <= g.flow.payload &&
		g.length+f.payload <= maxJoined && len(g.parts) <= maxMembers &&
		sameHeaders(first, p, f) && validTCP(p, f) && (len(g.parts) > 2 || validTCP(first, g.flow))
}

func (g *group) append(p []byte, f flow, push bool) {
	g.parts = append(g.parts, p[f.headLen:])
	g.length += f.payload
	g.nextSeq += uint32(f.payload)
	if push {
		g.parts[1][f.ipLen+13] |= tcpPSH
	}
	g.closed = push || f.payload < g.flow.payload
}

func (w *Writer) flush() error {
	var first error
	for i := range w.groups[:w.n] {
		g := &w.groups[i]
		g.seal()
		if err := w.q.WriteFrame(g.parts); err != nil && first == nil {
			first = err
		}
		clear(g.parts)
	}
	w.n = 0
	return first
}

// seal writes the virtio header, and for joined packets lengths and the
// pseudo header's sum, which the kernel completes.
func (g *group) seal() {
	clear(g.head[:])
	if len(g.parts) <= 2 {
		return
	}
	p, f := g.parts[1], g.flow
	h := header{
		flags: flagNeedsCsum, gsoType: gsoTCPv4, hdrLen: uint16(f.headLen),
		gsoSize: uint16(f.payload), csumStart: uint16(f.ipLen), csumOffset: 16,
	}
	if p[0]>>4 == 6 {
		h.gsoType = gsoTCPv6
		binary.BigEndian.PutUint16(p[4:], uint16(g.length-40))
	} else {
		binary.BigEndian.PutUint16(p[2:], uint16(g.length))
		ipv4Checksum(p[:f.ipLen])
	}
	binary.BigEndian.PutUint16(p[f.ipLen+16:], fold(pseudo(p, protoTCP, g.length-f.ipLen)))
	h.put(g.head[:])
}

// parseFlow finds out whether p is a data segment that may be joined: TCP
// without IP options or fragments, ACK and perhaps PSH set, and payload.
func parseFlow(p []byte) (f flow, push bool) {
	switch {
	case len(p) >= 40 && p[0] == 0x45 && p[9] == protoTCP && p[6]&^0x40 == 0 && p[7] == 0 &&
		int(binary.BigEndian.Uint16(p[2:])) == len(p):
		f.ipLen = 20
	case len(p) >= 60 && p[0]>>4 == 6 && p[6] == protoTCP && int(binary.BigEndian.Uint16(p[4:])) == len(p)-40:
		f.ipLen = 40
	default:
		return flow{}, false
	}
	t := p[f.ipLen:]
	f.headLen = f.ipLen + int(t[12]>>4)*4
	f.payload = len(p) - f.headLen
	f.ok = f.headLen >= f.ipLen+20 && f.payload > 0 && t[13]&^tcpPSH == tcpACK
	return f, t[13]&tcpPSH != 0
}

func sameFlow(a []byte, fa flow, b []byte, fb flow) bool {
	if fa.ipLen != fb.ipLen || binary.BigEndian.Uint32(a[fa.ipLen:]) != binary.BigEndian.Uint32(b[fb.ipLen:]) {
		return false
	}
	if fa.ipLen == 20 {
		return binary.BigEndian.Uint64(a[12:]) == binary.BigEndian.Uint64(b[12:])
	}
	return bytes.Equal(a[8:40], b[8:40])
}

// sameHeaders compares what a joined packet can express only once: class of
// service, TTL, DF, acknowledgement, window and TCP options.
func sameHeaders(a, b []byte, f flow) bool {
	if f.ipLen == 20 {
		if a[1] != b[1] || a[6] != b[6] || a[8] != b[8] {
			return false
		}
	} else if binary.BigEndian.Uint32(a) != binary.BigEndian.Uint32(b) || a[7] != b[7] {
		return false
	}
	ta, tb := a[f.ipLen:f.headLen], b[f.ipLen:f.headLen]
	return binary.BigEndian.Uint32(ta[8:]) == binary.BigEndian.Uint32(tb[8:]) && ta[12] == tb[12] &&
		ta[14] == tb[14] && ta[15] == tb[15] && bytes.Equal(ta[20:], tb[20:])
}

func validTCP(p []byte, f flow) bool {
	t := p[f.ipLen:]
	return fold(sum(t, pseudo(p, protoTCP, len(t)))) == 0xffff
}
