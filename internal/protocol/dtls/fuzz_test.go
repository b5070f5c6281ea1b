package dtls

import (
	"bytes"
	"errors"
	"testing"
)

func addCapture(f *testing.F) {
	for _, p := range readCapture(f) {
		f.Add(p.data)
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
}

// Whatever is accepted as a hello lies within its datagram and is parsed the
// same way by the server's own path.
func FuzzParseClientHello(f *testing.F) {
	addCapture(f)
	f.Fuzz(func(t *testing.T, datagram []byte) {
		h, err := ParseClientHello(datagram)
		if err != nil {
			return
		}
		if len(h.Random) != randomLen || len(h.SessionID) > 32 || !bytes.Contains(datagram, h.SessionID) {
			t.Errorf("impossible hello %+v", h)
		}
		if !h.Partial && len(h.Suites) == 0 {
			t.Error("a hello without suites")
		}
	})
}

// NextRecord makes progress and loses no byte.
func FuzzNextRecord(f *testing.F) {
	addCapture(f)
	f.Fuzz(func(t *testing.T, datagram []byte) {
		for b := datagram; len(b) > 0; {
			record, rest, err := NextRecord(b)
			if err != nil {
				return
			}
			if len(record) < recordHeaderLen || len(record)+len(rest) != len(b) {
				t.Fatalf("%d = %d + %d", len(b), len(record), len(rest))
			}
			b = rest
		}
	})
}

// A server in the middle of a handshake takes anything without panic, without
// being established by it, and without sending more than three times as much.
func FuzzServer(f *testing.F) {
	for _, p := range readCapture(f) {
		f.Add(p.data, true)
		f.Add(p.data, false)
	}
	for _, d := range resumeFlights(f) {
		f.Add(d, true)
		f.Add(d, false)
	}
	f.Fuzz(func(t *testing.T, datagram []byte, resume bool) {
		v := variant{mode: ModePSK, suite: SuitePSKAES256GCM}
		if resume {
			v = variant{mode: ModeResume, suite: SuiteRSAAES256GCM}
		}
		sc, cc := v.configs(1)
		s, err := NewServer(sc)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewClient(cc)
		if err != nil {
			t.Fatal(err)
		}
		hello, err := c.Start()
		if err != nil {
			t.Fatal(err)
		}
		received, sent := 0, 0
		for _, d := range [][]byte{datagram, hello[0], datagram, datagram} {
			received += len(d)
			res := s.Handle(testPeer, bytes.Clone(d))
			for _, out := range res.Send {
				sent += len(out)
			}
			if res.Established || res.Closed || len(res.Data) > 0 {
				t.Fatalf("noise had an effect: %+v", res)
			}
		}
		if sent > 3*received {
			t.Errorf("%d bytes sent for %d", sent, received)
		}
	})
}

// An Opener opens what was sealed for it, once, and nothing that differs from it
// in a bit.
func FuzzOpen(f *testing.F) {
	for _, p := range readCapture(f) {
		f.Add(p.data, uint16(13))
	}
	for _, record := range []string{vecClientFinished, vecServerFinished} {
		f.Add(unhex(f, record), uint16(21))
	}
	k, err := DeriveKeys(SuitePSKAES256GCM, unhex(f, vecMaster), unhex(f, vecClientRandom), unhex(f, vecServerRandom))
	if err != nil {
		f.Fatal(err)
	}
	s, err := suiteByID(SuitePSKAES256GCM)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, record []byte, flip uint16) {
		o, err := newOpener(s, k.ClientKey, k.ClientIV)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Clone(record)
		if len(changed) > 0 {
			changed[int(flip)%len(changed)] ^= 1
		}
		_, _, _, first := o.Open(changed)
		_, plain, seq, second := o.Open(bytes.Clone(record))
		if second != nil {
			return
		}
		if first == nil {
			t.Errorf("%x and %x both open", changed, record)
		}
		if len(plain) > len(record) || o.Highest() < seq {
			t.Errorf("%d bytes of a record of %d, number %d of %d", len(plain), len(record), seq, o.Highest())
		}
		if _, _, _, err := o.Open(bytes.Clone(record)); !errors.Is(err, ErrReplay) {
			t.Errorf("the same record again: got %v", err)
		}
	})
}

// resumeFlights are the datagrams of a handshake in the mode of Cisco's clients,
// of which there is no capture.
func resumeFlights(f *testing.F) (all [][]byte) {
	sc, cc := variant{mode: ModeResume, suite: SuiteRSAAES256GCM}.configs(2)
	s, err := NewServer(sc)
	if err != nil {
		f.Fatal(err)
	}
	c, err := NewClient(cc)
	if err != nil {
		f.Fatal(err)
	}
	hello, err := c.Start()
	if err != nil {
		f.Fatal(err)
	}
	for _, d := range append(hello, s.Handle(testPeer, bytes.Clone(hello[0])).Send...) {
		all = append(all, bytes.Clone(d))
		res, err := c.Handle(bytes.Clone(d))
		if err == nil {
			all = append(all, res.Send...)
		}
	}
	return all
}

// A client waiting for its server takes anything without panic and is not
// established by it.
func FuzzClient(f *testing.F) {
	for _, p := range readCapture(f) {
		f.Add(p.data, true)
		f.Add(p.data, false)
	}
	for _, d := range resumeFlights(f) {
		f.Add(d, true)
		f.Add(d, false)
	}
	f.Fuzz(func(t *testing.T, datagram []byte, resume bool) {
		v := variant{mode: ModePSK, suite: SuitePSKAES256GCM}
		if resume {
			v = variant{mode: ModeResume, suite: SuiteRSAAES256GCM}
		}
		_, cc := v.configs(1)
		c, err := NewClient(cc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			res, _ := c.Handle(bytes.Clone(datagram))
			if res.Established || len(res.Data) > 0 || c.Association() != nil {
				t.Fatalf("noise had an effect: %+v", res)
			}
		}
	})
}

// Fragments of a message put together in any cut give the message, and nothing
// is kept beyond the bounds.
func FuzzReassembly(f *testing.F) {
	f.Add([]byte("a message of some length"), uint16(3), uint8(5), uint8(2))
	f.Add([]byte{}, uint16(65535), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, body []byte, seq uint16, cut, overlap uint8) {
		if len(body) > maxMessage {
			return
		}
		r := reassembler{next: seq}
		r.add(fragment{typ: 1, length: maxMessage + 1, seq: seq})
		r.add(fragment{typ: 1, length: 1, seq: seq + maxAhead + 1})
		step := int(cut) + 1
		for at := 0; at == 0 || at < len(body); at += step {
			from := max(0, at-int(overlap))
			end := min(at+step, len(body))
			if _, ok := r.pop(); ok {
				t.Fatal("complete before its end")
			}
			r.add(fragment{typ: 1, length: len(body), seq: seq, offset: from, body: body[from:end]})
		}
		m, ok := r.pop()
		if !ok || m.seq != seq || !bytes.Equal(m.body, body) {
			t.Fatalf("got %x ok %v want %x", m.body, ok, body)
		}
		if !r.add(fragment{typ: 1, length: len(body), seq: seq, body: body}) {
			t.Error("a repetition was not recognised")
		}
	})
}
