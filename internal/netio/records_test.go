package netio

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

const waitLimit = 10 * time.Second

// pair is both ends of a TCP connection over loopback; far is wrapped.
func pair(t *testing.T) (near net.Conn, far *Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	far = NewConn(c)
	t.Cleanup(func() { _, _ = near.Close(), far.Close() })
	_ = far.SetDeadline(time.Now().Add(waitLimit))
	return near, far
}

func record(n int) []byte {
	b := append([]byte{23, 3, 3, byte(n >> 8), byte(n)}, make([]byte, n)...)
	for i := range b[5:] {
		b[5+i] = byte(i)
	}
	return b
}

func TestAWaitingConnectionHoldsNoBuffer(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	for _, n := range []int{1, 16384, 100} {
		want := record(n)
		go func() { _, _ = near.Write(want) }()
		if err := far.WaitRecord(); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("record of %d: %v", n, err)
		}
	}
	_ = far.SetReadDeadline(time.Now().Add(-time.Second))
	if err := far.WaitRecord(); err == nil {
		t.Fatal("a deadline in the past was waited for")
	}
	_ = far.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // it waits, and nothing comes
	if err := far.WaitRecord(); err == nil || far.buf != nil {
		t.Errorf("after waiting: got %v, a buffer is held: %v", err, far.buf != nil)
	}
}

// Half a record waits in a small buffer, however long its other half takes, and
// comes out whole.
func TestHalfARecordWaitsInASmallBuffer(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	want := record(9000)
	if _, err := near.Write(want[:3000]); err != nil {
		t.Fatal(err)
	}
	_ = far.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	for far.WaitRecord() == nil {
	}
	if far.buf == nil || len(*far.buf) != readSmall || far.HasRecord() {
		t.Fatalf("half a record: got buffer %v, whole %v", far.buf != nil, far.HasRecord())
	}
	_ = far.SetReadDeadline(time.Now().Add(waitLimit))
	go func() { _, _ = near.Write(append(want[3000:], record(20)...)) }()
	got := make([]byte, len(want)+25)
	if _, err := io.ReadFull(far, got); err != nil || !bytes.Equal(got[:len(want)], want) {
		t.Fatalf("the whole record: %v", err)
	}
	_ = near.Close()
	if err := far.WaitRecord(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: got %v, want %v", err, io.EOF)
	}
}

// crypto/tls must hold nothing of the next record, or HasRecord lies.
func TestReadStopsAtTheEndOfARecord(t *testing.T) {
	t.Parallel()
	near, far := pair(t)
	if _, err := near.Write(append(record(10), record(20)...)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	for _, want := range []int{15, 25} {
		n, err := far.Read(b)
		for err == nil && n < want {
			var k int
			k, err = far.Read(b[n:want])
			n += k
		}
		if n != want || err != nil {
			t.Errorf("got %d bytes, %v, want %d", n, err, want)
		}
	}
}
