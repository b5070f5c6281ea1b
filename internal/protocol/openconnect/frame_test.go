package openconnect

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestHeaderBytes(t *testing.T) {
	t.Parallel()
	want := []byte{'S', 'T', 'F', 1, 0x05, 0x9a, 3, 0}
	if got := AppendHeader(nil, TypeDPDRequest, 1434); !bytes.Equal(got, want) {
		t.Errorf("got %x want %x", got, want)
	}
	if got := AppendDPDResponse([]byte("x"), []byte("ab")); string(got) != "xSTF\x01\x00\x02\x04\x00ab" {
		t.Errorf("got %q", got)
	}
}

// feed cuts a stream at the given lengths and returns copies of the frames.
func feed(t testing.TB, stream []byte, cut func() int) []Frame {
	t.Helper()
	var p Parser
	var out []Frame
	for len(stream) > 0 {
		n := min(max(cut(), 1), len(stream))
		out = append(out, frames(t, &p, bytes.Clone(stream[:n]))...)
		stream = stream[n:]
	}
	return out
}

// frames returns the frames of one read. They are copied only after the read is
// parsed whole, because that is how long they must live.
func frames(t testing.TB, p *Parser, in []byte) []Frame {
	t.Helper()
	var live []Frame
	for {
		f, rest, err := p.Next(in)
		if errors.Is(err, ErrMore) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		live, in = append(live, f), rest
	}
	for i := range live {
		live[i].Payload = bytes.Clone(live[i].Payload)
	}
	return live
}

func TestParserTakesAnyCut(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		var stream []byte
		var want []Frame
		for i := range 20 {
			n := r.IntN(200)
			if r.IntN(10) == 0 {
				n = MaxPayload - r.IntN(3)
			}
			payload := bytes.Repeat([]byte{byte(i)}, n)
			want = append(want, Frame{byte(r.IntN(10)), payload})
			stream = AppendFrame(stream, want[i].Type, payload)
		}
		size := 1 << r.IntN(15)
		got := feed(t, stream, func() int { return r.IntN(size) })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: frames differ", seed)
		}
	}
}

func TestParserErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		stream string
		want   error
	}{
		{"bad magic", "STX\x01\x00\x00\x00\x00", ErrMagic},
		{"other version", "STF\x02\x00\x00\x00\x00", ErrMagic},
		{"last byte not zero", "STF\x01\x00\x00\x00\x01", ErrMagic},
		{"too long", "STF\x01\xff\xff\x00\x00", ErrFrameSize},
		{"one too long", "STF\x01\x3f\xf9\x00\x00", ErrFrameSize},
		{"longest", "STF\x01\x3f\xf8\x00\x00", ErrMore},
		{"HTTP", "GET / HTTP/1.1\r\n", ErrMagic},
		{"after a good frame", "STF\x01\x00\x00\x07\x00garbage!", ErrMagic},
	} {
		for size := 1; size <= len(c.stream); size++ {
			var p Parser
			err := ErrMore
			for at := 0; at < len(c.stream) && (err == nil || errors.Is(err, ErrMore)); at += size {
				in := []byte(c.stream[at:min(at+size, len(c.stream))])
				for err = nil; err == nil; {
					_, in, err = p.Next(in)
				}
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s in pieces of %d: got %v want %v", c.name, size, err, c.want)
			}
		}
	}
}

func TestParserAllocatesNothing(t *testing.T) {
	var p Parser
	stream := AppendFrame(nil, TypeData, make([]byte, 1400))
	stream = append(stream, stream...)
	cut := len(stream) - 100
	got := testing.AllocsPerRun(100, func() {
		for _, in := range [][]byte{stream[:cut], stream[cut:]} {
			for err := error(nil); err == nil; {
				_, in, err = p.Next(in)
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations for two reads", got)
	}
}

func TestPutHeaderPanicsOnImpossibleLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, MaxPayload + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("length %d was written", n)
				}
			}()
			AppendHeader(nil, TypeData, n)
		}()
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		payload string
		want    Disconnect
		ends    bool
	}{
		{"", Disconnect{}, false},
		{"\xb0Aborted by caller", Disconnect{true, ReasonUser, "Aborted by caller"}, true},
		{"\xb0", Disconnect{true, ReasonUser, ""}, true},
		{"\x91Reconnecting the VPN tunnel.", Disconnect{true, ReasonReconnecting, "Reconnecting the VPN tunnel."}, false},
		{"\xd1", Disconnect{true, ReasonPaused, ""}, false},
		{"\x70", Disconnect{true, ReasonLocalError, ""}, true},
		{"\x00", Disconnect{true, 0, ""}, false},
		{"\x42what", Disconnect{true, 0x42, "what"}, false},
	} {
		got := ParseDisconnect([]byte(c.payload))
		if got != c.want || got.Ends() != c.ends {
			t.Errorf("%q: got %+v ends %v", c.payload, got, got.Ends())
		}
		if back := got.AppendTo(nil); string(back) != c.payload {
			t.Errorf("%q: written as %q", c.payload, back)
		}
	}
}

func TestSplitDatagram(t *testing.T) {
	t.Parallel()
	if _, err := SplitDatagram(nil); !errors.Is(err, ErrEmptyDatagram) {
		t.Errorf("empty: got %v", err)
	}
	f, err := SplitDatagram([]byte{TypeData})
	if err != nil || f.Type != TypeData || len(f.Payload) != 0 {
		t.Errorf("one byte: got %+v, %v", f, err)
	}
	f, err = SplitDatagram([]byte("\x03abc"))
	if err != nil || f.Type != TypeDPDRequest || string(f.Payload) != "abc" {
		t.Errorf("got %+v, %v", f, err)
	}
}

// However a stream is cut, the parser finds the same frames and the same end.
func FuzzParser(f *testing.F) {
	f.Add(AppendFrame(AppendFrame(nil, TypeData, []byte("packet")), TypeKeepalive, nil), uint8(3))
	f.Add([]byte("STF\x01\xff\xff\x00\x00"), uint8(1))
	f.Add([]byte("STF\x01\x00\x12\x05\x00\xb0Aborted by caller"), uint8(200)) // of openconnect 9.01, which sent its data by DTLS
	f.Fuzz(func(t *testing.T, stream []byte, size uint8) {
		run := func(size int) (string, error) {
			var p Parser
			var out []byte
			for at := 0; at < len(stream); at += size {
				in := stream[at:min(at+size, len(stream))]
				for {
					f, rest, err := p.Next(in)
					if errors.Is(err, ErrMore) {
						break
					}
					if err != nil {
						return string(out), err
					}
					out, in = AppendFrame(out, f.Type, f.Payload), rest
				}
			}
			return string(out), nil
		}
		whole, wholeErr := run(max(len(stream), 1))
		pieces, err := run(int(size) + 1)
		if whole != pieces || !errors.Is(err, wholeErr) {
			t.Errorf("whole %q, %v; pieces %q, %v", whole, wholeErr, pieces, err)
		}
		if wholeErr == nil && !bytes.HasPrefix(stream, []byte(whole)) {
			t.Errorf("printed %q is not the start of %q", whole, stream)
		}
	})
}

func FuzzDisconnect(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\xb0Aborted by caller"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if got := ParseDisconnect(payload).AppendTo(nil); !bytes.Equal(got, payload) {
			t.Errorf("got %q want %q", got, payload)
		}
	})
}
