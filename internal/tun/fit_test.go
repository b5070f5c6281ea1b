package tun

import (
	"bytes"
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

// syn is a TCP packet with options in place of the timestamp of tcp, and a right
// checksum.
func syn(v6 bool, flags byte, options ...byte) []byte {
	p := tcp(segment{v6: v6, flags: flags, ttl: 64})
	at := packetHead(v6) - 12
	copy(p[at:at+12], make([]byte, 12))
	copy(p[at:], options)
	rightSum(p)
	return p
}

func rightSum(p []byte) {
	at := 40
	if p[0]>>4 == 4 {
		at = int(p[0]&15) * 4
	}
	t := p[at:]
	t[16], t[17] = 0, 0
	binary.BigEndian.PutUint16(t[16:], ^fold(sum(t, pseudo(p, protoTCP, len(t)))))
}

func TestClampMSS(t *testing.T) {
	t.Parallel()
	const mss = 1460 >> 8
	for _, c := range []struct {
		name    string
		packet  []byte
		at      int // of the option's value behind the headers without options
		want    uint16
		changed bool
	}{
		{"a SYN", syn(false, tcpSYN, 2, 4, mss, 0xb4), 2, 1240, true},
		{"its answer", syn(false, tcpSYN|0x10, 2, 4, mss, 0xb4), 2, 1240, true},
		{"over IPv6", syn(true, tcpSYN, 2, 4, mss, 0xb4), 2, 1220, true},
		{"behind others, at an odd place", syn(false, tcpSYN, 1, 4, 2, 2, 4, mss, 0xb4), 5, 1240, true},
		{"less already", syn(false, tcpSYN, 2, 4, 2, 0), 2, 512, false},
		{"no SYN", syn(false, 0x10, 2, 4, mss, 0xb4), 2, 1460, false},
		{"after the end of the options", syn(false, tcpSYN, 0, 2, 4, mss, 0xb4), 3, 1460, false},
		{"an option without length", syn(false, tcpSYN, 8, 0, 2, 4, mss, 0xb4), 4, 1460, false},
		{"an option past the end", syn(false, tcpSYN, 8, 90, 2, 4, mss, 0xb4), 4, 1460, false},
		{"one of another length", syn(false, tcpSYN, 2, 3, mss, 0xb4), 2, 1460, false},
	} {
		before := bytes.Clone(c.packet)
		ClampMSS(c.packet, 1280)
		value := packetHead(c.packet[0]>>4 == 6) - 12 + c.at
		if got := binary.BigEndian.Uint16(c.packet[value:]); got != c.want || bytes.Equal(before, c.packet) == c.changed {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
		checkPacket(t, c.packet)
	}
	p := syn(false, tcpSYN, 2, 4, mss, 0xb4)
	before := bytes.Clone(p)
	for _, mtu := range []int{0, -1, 40} {
		ClampMSS(p, mtu)
	}
	p[6] |= flagMF
	ClampMSS(p, 1280)
	p[6] &^= flagMF
	if !bytes.Equal(p, before) {
		t.Error("a fragment, or a packet without an MTU to fit, was changed")
	}
}

// TestClampFrame has a SYN whose checksum the kernel completes, and one with all
// of it: both are right in the end.
func TestClampFrame(t *testing.T) {
	t.Parallel()
	for _, v6 := range []bool{false, true} {
		p := syn(v6, tcpSYN, 2, 4, 1460>>8, 0xb4)
		at := packetHead(v6) - 32
		whole := append(make([]byte, HeaderLen), p...)
		begun := bytes.Clone(whole)
		h := header{flags: flagNeedsCsum, csumStart: uint16(at), csumOffset: 16}
		h.put(begun)
		binary.BigEndian.PutUint16(begun[HeaderLen+at+16:], fold(pseudo(p, protoTCP, len(p)-at)))
		for _, frame := range [][]byte{whole, begun} {
			ClampFrame(frame, 1280)
			got := split(t, frame)[0]
			checkPacket(t, got)
			if mss := binary.BigEndian.Uint16(got[at+22:]); int(mss) != 1280-at-20 {
				t.Errorf("v6 %v: got %d, want %d", v6, mss, 1280-at-20)
			}
		}
	}
}

func TestFragmentsMakeTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		options := rapid.SampledFrom([][]byte{nil, {7, 3, 4, 1}, {0x82, 4, 0, 0}}).Draw(t, "options")
		head := 20 + len(options)
		body := rapid.SliceOfN(rapid.Byte(), 1, 4000).Draw(t, "body")
		mtu := rapid.IntRange(68, 1500).Draw(t, "mtu")
		p := append([]byte{byte(0x40 | head/4), 0, 0, 0, 0, 9, 0, 0, 64, protoUDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, options...)
		p = append(p, body...)
		binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
		ipv4Checksum(p[:head])
		var f Fragments
		if !f.Reset(p, mtu) {
			t.Fatal("the packet may be cut, and was not")
		}
		got, dst, last := make([]byte, 0, len(body)), make([]byte, mtu), false
		for n := f.Next(dst); n > 0; n = f.Next(dst) {
			q := dst[:n]
			place := binary.BigEndian.Uint16(q[6:])
			if n > mtu || int(binary.BigEndian.Uint16(q[2:])) != n || onesComplement(q[:head], 0) != 0xffff || last || int(place&0x1fff)*8 != len(got) {
				t.Fatalf("after %d bytes: got a fragment of %d at %04x", len(got), n, place)
			}
			if len(got) > 0 && len(options) > 0 && (q[20] == 7) {
				t.Fatal("an option of the first fragment is in another")
			}
			got, last = append(got, q[head:]...), place&0x2000 == 0
		}
		if !last || !bytes.Equal(got, body) {
			t.Fatalf("the fragments make %d bytes of %d", len(got), len(body))
		}
	})
	var f Fragments
	whole := tcp(segment{payload: make([]byte, 2000)})
	whole[6] |= flagDF
	for name, p := range map[string][]byte{"DF": whole, "IPv6": tcp(segment{v6: true, payload: make([]byte, 2000)}), "half a header": {0x45, 0}} {
		if f.Reset(p, 1280) || f.Next(make([]byte, 1280)) != 0 {
			t.Errorf("%s: was cut", name)
		}
	}
}

func TestTooBig(t *testing.T) {
	t.Parallel()
	frame := make([]byte, MaxError)
	v4, v6 := tcp(segment{payload: make([]byte, 2000)}), tcp(segment{v6: true, payload: make([]byte, 2000)})
	got := frame[HeaderLen:TooBig(frame, v4, 1280)]
	if onesComplement(got[:20], 0) != 0xffff || onesComplement(got[20:], 0) != 0xffff || got[20] != 3 || got[21] != 4 ||
		binary.BigEndian.Uint16(got[26:]) != 1280 || !bytes.Equal(got[12:16], v4[16:20]) || !bytes.Equal(got[16:20], v4[12:16]) ||
		!bytes.Equal(got[28:], v4[:quoteLimit]) || int(binary.BigEndian.Uint16(got[2:])) != len(got) {
		t.Errorf("IPv4: got % x", got[:48])
	}
	got = frame[HeaderLen:TooBig(frame, v6, 1000)]
	if sum := onesComplement(got[40:], pseudo32(got, len(got)-40)-protoTCP+protoICMPv6); sum != 0xffff || got[40] != 2 ||
		binary.BigEndian.Uint32(got[44:]) != leastIPv6 || !bytes.Equal(got[8:24], v6[24:40]) || !bytes.Equal(got[48:], v6[:quoteLimit]) {
		t.Errorf("IPv6: got % x, sum %04x", got[:60], sum)
	}
	change := func(p []byte, at int, to byte) []byte {
		p = bytes.Clone(p)
		p[at] = to
		return p
	}
	icmp4, icmp6 := change(v4, 9, protoICMP), change(v6, 6, protoICMPv6)
	for name, c := range map[string]struct {
		packet []byte
		told   bool
	}{
		"a later fragment": {change(v4, 7, 9), false}, "from nobody": {change(v4, 12, 0), false}, "to a group": {change(v4, 16, 224), false},
		"an error": {change(icmp4, 20, 3), false}, "an echo": {change(icmp4, 20, 8), true}, "short": {v4[:20], false},
		"an error of IPv6": {change(icmp6, 40, 1), false}, "an echo of IPv6": {change(icmp6, 40, 128), true}, "to a group of IPv6": {change(v6, 24, 255), false},
	} {
		if got := TooBig(frame, c.packet, 1280) > 0; got != c.told {
			t.Errorf("%s: told %v, want %v", name, got, c.told)
		}
	}
}

func TestNarrowSegmentsHoldTheSame(t *testing.T) {
	t.Parallel()
	for _, v6 := range []bool{false, true} {
		var s Segments
		frame := superFrame(v6, 1348, 5)
		whole := bytes.Clone(frame[HeaderLen+packetHead(v6):])
		if err := s.Reset(frame); err != nil {
			t.Fatal(err)
		}
		s.Narrow(1280)
		var got []byte
		for p := make([]byte, 1280); ; {
			n := s.Next(p)
			if n == 0 {
				break
			}
			checkPacket(t, p[:n])
			got = append(got, p[packetHead(v6):n]...)
		}
		if !bytes.Equal(got, whole) {
			t.Errorf("v6 %v: got %d bytes, want %d", v6, len(got), len(whole))
		}
	}
}

func FuzzFit(f *testing.F) {
	f.Add(syn(false, tcpSYN, 2, 4, 5, 0xb4), 1280)
	f.Add(syn(true, tcpSYN, 1, 2, 4, 5, 0xb4), 1280)
	f.Add(tcp(segment{payload: make([]byte, 2000)}), 700)
	f.Add([]byte{0x46, 0, 0, 30, 0, 0, 0, 0, 1, 17, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 3, 4, 1, 0, 0, 0, 0, 0, 0}, 32)
	f.Fuzz(func(t *testing.T, p []byte, mtu int) {
		if len(p) > 65535 {
			return
		}
		mtu = min(max(mtu, 0), 65535)
		ClampMSS(p, mtu)
		ClampFrame(append(make([]byte, HeaderLen), p...), mtu)
		if n := TooBig(make([]byte, MaxError), p, mtu); n > MaxError {
			t.Fatalf("an error of %d bytes", n)
		}
		var cut Fragments
		if !cut.Reset(p, mtu) {
			return
		}
		dst := make([]byte, mtu)
		for n := cut.Next(dst); n > 0; n = cut.Next(dst) {
			if n > mtu {
				t.Fatalf("a fragment of %d bytes, want at most %d", n, mtu)
			}
		}
	})
}
