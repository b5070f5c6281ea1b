package tun

import (
	"bytes"
	"errors"
	"os"
	"testing"
)

// memoryDevice is a device without offloads, as those of other systems are.
type memoryDevice struct {
	in, out [][]byte
	fault   error // of writePacket
}

func (d *memoryDevice) readPacket(buf []byte, wait bool) (int, error) {
	if len(d.in) == 0 {
		if wait {
			return 0, os.ErrClosed
		}
		return 0, nil
	}
	for i := range HeaderLen { // as a header of the system's own
		buf[i] = 0xee
	}
	n := copy(buf[HeaderLen:], d.in[0])
	d.in = d.in[1:]
	return n, nil
}

func (d *memoryDevice) writePacket(frame []byte) error {
	d.out = append(d.out, bytes.Clone(frame[HeaderLen:]))
	return d.fault
}

func (d *memoryDevice) Close() error { return nil }

// TestADeviceWithoutOffloadsGetsPackets: what the Writer has joined is cut again,
// with right checksums, for a system that takes one packet per call.
func TestADeviceWithoutOffloadsGetsPackets(t *testing.T) {
	t.Parallel()
	for _, v6 := range []bool{false, true} {
		var packets, want [][]byte
		for i := range 5 {
			p := tcp(segment{v6: v6, seq: uint32(100 + 700*i), flags: tcpACK, ttl: 64, payload: bytes.Repeat([]byte{byte(i)}, 700)})
			packets, want = append(packets, p), append(want, bytes.Clone(p))
		}
		dev := &memoryDevice{}
		if err := NewWriter(newPlainQueue(dev)).Write(packets); err != nil {
			t.Fatal(err)
		}
		if len(dev.out) != len(want) {
			t.Fatalf("v6 %t: got %d packets, want %d", v6, len(dev.out), len(want))
		}
		for i, p := range dev.out {
			checkPacket(t, p)
			if head := len(p) - 700; !bytes.Equal(p[head:], want[i][head:]) {
				t.Errorf("v6 %t: packet %d has another payload", v6, i)
			}
		}
	}
}

// TestADeviceWithoutOffloadsGivesFrames: each packet is a frame with an empty
// header; as many as are there come at once, and the end is told when none is left.
func TestADeviceWithoutOffloadsGivesFrames(t *testing.T) {
	t.Parallel()
	one, two := tcp(segment{seq: 1, flags: tcpACK, ttl: 64, payload: []byte("one")}), tcp(segment{v6: true, seq: 1, flags: tcpACK, ttl: 64, payload: []byte("two")})
	q := newPlainQueue(&memoryDevice{in: [][]byte{one, two}})
	frames, err := q.ReadFrames(make([]byte, BatchSize), make([][]byte, 0, BatchFrames))
	if err != nil || len(frames) != 2 {
		t.Fatalf("got %d frames and %v", len(frames), err)
	}
	for i, want := range [][]byte{one, two} {
		if !bytes.Equal(frames[i][:HeaderLen], make([]byte, HeaderLen)) || !bytes.Equal(frames[i][HeaderLen:], want) {
			t.Errorf("frame %d is not an empty header and its packet", i)
		}
	}
	if _, err := q.ReadFrames(make([]byte, BatchSize), frames); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v of an empty device that was closed", err)
	}
}

// TestADeviceWithoutOffloadsTellsWhatItRefuses, and takes the other packets.
func TestADeviceWithoutOffloadsTellsWhatItRefuses(t *testing.T) {
	t.Parallel()
	fault := errors.New("no buffer")
	dev := &memoryDevice{fault: fault}
	q := newPlainQueue(dev)
	p := tcp(segment{seq: 1, flags: tcpACK, ttl: 64, payload: []byte("one")})
	if err := q.WriteFrame([][]byte{make([]byte, HeaderLen), p}); !errors.Is(err, fault) || len(dev.out) != 1 {
		t.Errorf("got %v and %d packets", err, len(dev.out))
	}
	if err := q.WriteFrame([][]byte{make([]byte, HeaderLen), {0x10}}); !errors.Is(err, ErrFrame) {
		t.Errorf("got %v for what is no packet", err)
	}
	if err := q.WriteFrame([][]byte{make([]byte, MaxFrame), p}); !errors.Is(err, ErrFrame) {
		t.Errorf("got %v for a frame that is too long", err)
	}
}

// FuzzPlainQueue: no frame of the other end brings more to a device without offloads
// than its packets, and none longer than a packet may be.
func FuzzPlainQueue(f *testing.F) {
	f.Add(superFrame(false, 1000, 3000), 20)
	f.Add(superFrame(true, 1000, 3000), 0)
	f.Add(append(make([]byte, HeaderLen), tcp(segment{payload: make([]byte, 60)})...), HeaderLen)
	f.Add(make([]byte, 3), 1)
	f.Fuzz(func(t *testing.T, frame []byte, cut int) {
		cut = min(max(cut, 0), len(frame))
		dev := &memoryDevice{}
		if err := newPlainQueue(dev).WriteFrame([][]byte{frame[:cut], frame[cut:]}); err != nil && len(dev.out) > 0 {
			t.Errorf("%v, and %d packets were written", err, len(dev.out))
		}
		dev.in = dev.out
		frames, _ := newPlainQueue(dev).ReadFrames(make([]byte, 4*MaxFrame), make([][]byte, 0, 4))
		for i, got := range frames {
			if !bytes.Equal(got[HeaderLen:], dev.out[i]) {
				t.Errorf("packet %d comes back as another", i)
			}
		}
	})
}
