package sslvpn

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/protocol/tlsrecord"
)

// These tests look at the memory of the whole process and so run alone, before
// those that are parallel. It counts both ends of each connection.

// inUse is the live heap, and the stacks.
func inUse() int {
	runtime.GC()
	runtime.GC() // what pools held is gone by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

const strangers = 240 // below maxEarlyFrom

// raw makes connections without a handshake.
func (r *rig) raw(n int) (all []net.Conn) {
	r.t.Helper()
	for range n {
		c, err := net.Dial("tcp", r.addr())
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(3 * waitLimit))
		all = append(all, c)
	}
	return all
}

// eventually waits until a condition holds.
func (r *rig) eventually(what string, holds func() bool) {
	r.t.Helper()
	tick, end := time.NewTicker(time.Millisecond), time.After(3*waitLimit)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-end:
			r.t.Fatalf("waited in vain until %s", what)
		}
	}
}

func (r *rig) allMemoryIsBack() {
	r.t.Helper()
	r.eventually("all memory is back", func() bool { return r.svc.memory.left.Load() == sharedMemory })
}

// TestBodiesOfStrangersAreBoundedTogether has many connections each send a good
// part of a body, and no more.
func TestBodiesOfStrangersAreBoundedTogether(t *testing.T) {
	r := newRig(t)
	var peers []*tls.Conn
	for _, c := range r.raw(strangers) {
		p := tls.Client(c, &tls.Config{InsecureSkipVerify: true}) // whose it is does not matter here
		if err := p.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		peers = append(peers, p)
	}
	head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 256<<10)
	part := head + strings.Repeat("x", 100<<10)
	before := inUse()
	var refused, other atomic.Int32
	var answers sync.WaitGroup
	for _, p := range peers {
		_, _ = io.WriteString(p, part) // who is refused may not take all of it
		answers.Go(func() {
			resp, err := http.ReadResponse(bufio.NewReader(p), nil)
			switch {
			case err != nil && refused.Load() == 0: // the end of the test
			case err != nil || resp.StatusCode == 503 && resp.Header.Get("X-Reason") != "":
				refused.Add(1)
			default:
				other.Add(1)
			}
		})
	}
	each := int64(128<<10 + 2*len(head) - ownMemory) // what a body of 100 KB lies in
	r.eventually("every body is held or refused", func() bool {
		held := sharedMemory - r.svc.memory.left.Load()
		return held%each == 0 && held/each+int64(refused.Load()) == strangers
	})
	grown := inUse() - before
	t.Logf("%d bodies are refused, %d KB of memory more in use", refused.Load(), grown>>10)
	if limit := sharedMemory + strangers*ownMemory + 4<<20; grown > limit {
		t.Errorf("%d bytes more are in use, want %d at most", grown, limit)
	}
	if refused.Load() == 0 || other.Load() > 0 {
		t.Errorf("got %d refusals and %d other answers, want some and none", refused.Load(), other.Load())
	}
	p := r.dial(nil)
	p.connect(p.login("ann")) // for whom its own part suffices
	for _, p := range peers {
		_ = p.NetConn().Close()
	}
	answers.Wait()
	r.allMemoryIsBack()
}

// TestHandshakesOfStrangersAreBoundedTogether has many connections each send a
// good part of the longest hello.
func TestHandshakesOfStrangersAreBoundedTogether(t *testing.T) {
	r := newRig(t)
	hello := []byte{1, 0, 0xff, 0xff} // ClientHello, 65535 bytes
	hello = append(hello, make([]byte, 56<<10)...)
	var flight []byte
	for b := hello; len(b) > 0; {
		n := min(len(b), 16<<10)
		flight = append(binary.BigEndian.AppendUint16(append(flight, 22, 3, 1), uint16(n)), b[:n]...)
		b = b[n:]
	}
	all := r.raw(strangers)
	before := inUse()
	var closed atomic.Int32
	for _, c := range all {
		go func() {
			_, _ = c.Write(flight)
			_, _ = io.Copy(io.Discard, c)
			closed.Add(1)
		}()
	}
	each := int64(2*len(flight) - ownMemory)
	r.eventually("every hello is held or refused", func() bool {
		held := sharedMemory - r.svc.memory.left.Load()
		return held%each == 0 && held/each+int64(closed.Load()) == strangers
	})
	grown := inUse() - before
	t.Logf("%d hellos are refused, %d KB of memory more in use", closed.Load(), grown>>10)
	if limit := sharedMemory + strangers*ownMemory; grown > limit || closed.Load() == 0 {
		t.Errorf("%d bytes more are in use and %d refused, want %d at most and some", grown, closed.Load(), limit)
	}
	for _, c := range all {
		_ = c.Close()
	}
	r.allMemoryIsBack()
}

// perStranger is what a connection without a session may cost beside the shared
// part, with its client's end.
const perStranger = 96 << 10

// TestAStrangerCostsLittle has connections that are greeted and send almost the
// whole of the longest record, or of the longest message after a handshake.
func TestAStrangerCostsLittle(t *testing.T) {
	for name, send := range map[string]func(*tlsrecord.Sealer) []byte{
		"record": func(*tlsrecord.Sealer) []byte {
			return append([]byte{23, 3, 3, 0x40, 0x11}, make([]byte, 16<<10)...)
		},
		"message": func(s *tlsrecord.Sealer) (records []byte) {
			certificate := append([]byte{11, 1, 0x3f, 0}, make([]byte, 15<<10)...)
			for range 5 { // the type and the length of the first are not what the others say
				records = s.Seal(records, tlsrecord.TypeHandshake, certificate)
			}
			return records
		},
	} {
		t.Run(name, func(t *testing.T) { strangersCostLittle(t, send) })
	}
}

func strangersCostLittle(t *testing.T, send func(*tlsrecord.Sealer) []byte) {
	r := newRig(t)
	before := inUse()
	all := r.raw(strangers)
	for _, c := range all {
		log := &tlsrecord.KeyLog{}
		p := tls.Client(c, &tls.Config{InsecureSkipVerify: true, KeyLogWriter: log}) // whose it is does not matter here
		if err := p.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, sealer, err := log.Keys(p.ConnectionState().CipherSuite, false)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write(send(sealer)) // who is refused may not take all of it
	}
	r.dial(nil).login("ann") // what was sent before has been read by now, or lies in the kernel
	each := (inUse() - before) / strangers
	t.Logf("%d KB each", each>>10)
	if each > perStranger {
		t.Errorf("a connection costs %d bytes, want %d at most", each, perStranger)
	}
	for _, c := range all {
		_ = c.Close()
	}
}
