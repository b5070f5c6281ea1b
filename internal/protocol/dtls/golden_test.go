package dtls

import (
	"bufio"
	"bytes"
	"crypto/hkdf"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
)

// unhex decodes a vector; blanks are allowed.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vector of the specification, section 20.1.
const (
	vecExporterMaster = "b2479c5f2a8dae25e525a45e6d4e71aed753b5e2aff9a5ab713e9ed0a763af99f1429bfe665faf6c6e96eb05ea35ae14"
	vecPSK            = "bf2a8e1159027adbb3168554cef161f0f1af232a0879eb176fd09e6e2465a580"
	vecClientRandom   = "bc29abe4e6a5cf7174d0d6e92cf407da148a57368ac7c8e73fe9ff518d4d0be7"
	vecServerRandom   = "c28aa88bb0a029984e12f38247452944d3334123e27188535c55fce7ab234ada"
	vecMaster         = "00de6217d2aa7e3760fbc01cfb0ebb895e7c6de8f4bda8f2771a347e98dd6bff11e26c93b15b2cbbd80b305ea7409d0a"
	vecClientFinished = "16fefd000100000000000000300001000000000000 95356363361ec276f286fd8c09a1bf44bd569aab9e9590b0ed4b6f36a37521e01a6f93023a8c7cf6"
	vecServerFinished = "16fefd000100000000000000300001000000000000 261629286fedb09bba99523dfe5b0b8ab7dab83eeeb5e841d16887b791c0c8fde821c5c359cf76a0"
	vecResumeBlock    = "b70a4fe0ce735ba6f07671c97709d9053974d8adb009db613da915f0d386c128563680b7ab7719cbc1ac44fc237e1c8056dcded89f52a2f652983643c00714cbe248bd1d95b64787"
	vecClientPlain    = "1400000c 0002 000000 00000c 935ed6e8fd2860e6159b831a"
	vecServerPlain    = "1400000c 0002 000000 00000c 735d6aef3f88702c3c5bb1d7"
)

// exportPSK is what the caller of this package does: RFC 8446 7.5 with SHA-384.
func exportPSK(t *testing.T, exporterMaster []byte) []byte {
	t.Helper()
	expandLabel := func(secret []byte, label string, context []byte) []byte {
		info := binary.BigEndian.AppendUint16(nil, 0)
		n := 32
		if len(secret) == 48 && label != "exporter" {
			n = 48
		}
		binary.BigEndian.PutUint16(info, uint16(n))
		info = appendVector8(info, []byte("tls13 "+label))
		info = appendVector8(info, context)
		out, err := hkdf.Expand(sha512.New384, secret, string(info), n)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	empty := sha512.Sum384(nil)
	derived := expandLabel(exporterMaster, "EXPORTER-openconnect-psk", empty[:])
	return expandLabel(derived, "exporter", empty[:])
}

func TestGoldenPSKKeySchedule(t *testing.T) {
	t.Parallel()
	cr, sr := unhex(t, vecClientRandom), unhex(t, vecServerRandom)
	psk := exportPSK(t, unhex(t, vecExporterMaster))
	if got := hex.EncodeToString(psk); got != vecPSK {
		t.Fatalf("psk: got %s want %s", got, vecPSK)
	}
	master, err := PSKMasterSecret(SuitePSKAES256GCM, psk, cr, sr)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(master); got != vecMaster {
		t.Errorf("master secret: got %s want %s", got, vecMaster)
	}
	k, err := DeriveKeys(SuitePSKAES256GCM, master, cr, sr)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"client key", k.ClientKey, "b6772802a386d304ec3f0d45ee52aab603f1b7cecd1b03de6cd40d5c7d30126e"},
		{"server key", k.ServerKey, "bc8fd2d80537a357cef2c41d17856414a5136a4495059770bb818cfab28ceba8"},
		{"client iv", k.ClientIV, "79e523e1"},
		{"server iv", k.ServerIV, "bc36439d"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s: got %s want %s", c.name, got, c.want)
		}
	}
}

func TestGoldenFinishedRecords(t *testing.T) {
	t.Parallel()
	s, err := suiteByID(SuitePSKAES256GCM)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, plain, record string
		server              bool
	}{
		{"client", vecClientPlain, vecClientFinished, false},
		{"server", vecServerPlain, vecServerFinished, true},
	} {
		mk := func(server bool) *Association {
			a, err := newAssociation(s, unhex(t, vecMaster), unhex(t, vecClientRandom), unhex(t, vecServerRandom), server)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		record, err := mk(c.server).appendRecord(nil, TypeHandshake, unhex(t, c.plain))
		if err != nil {
			t.Fatal(err)
		}
		if want := unhex(t, c.record); !bytes.Equal(record, want) {
			t.Errorf("%s Finished record: got %x want %x", c.name, record, want)
		}
		typ, plain, seq, err := mk(!c.server).Opener.Open(record)
		if err != nil || typ != TypeHandshake || seq != 0 || !bytes.Equal(plain, unhex(t, c.plain)) {
			t.Errorf("%s Finished opened: got type %d seq %d %x, %v", c.name, typ, seq, plain, err)
		}
	}
}

// The inputs of section 20.2; the outputs were derived independently with
// OpenSSL 3 (openssl kdf TLS1-PRF).
func TestGoldenResumeKeySchedule(t *testing.T) {
	t.Parallel()
	k, err := DeriveKeys(SuiteRSAAES256GCM,
		unhex(t, "6BB442307D074E2CF4EA96CDC0A3F8B0F7D61AF89C040108E7C1E9F97065BA13B4E22BE689801E5F4FD2E7F2C6DF8237"),
		unhex(t, "8f49baff424479d31f88b035c42135307711a03090af0c44c83acab543786356"),
		unhex(t, "f6ab9f55e5f3d7296d6e5a66ae1d96abe8e8446f95fbc911fbedfd1bb31b7740"))
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Join([][]byte{k.ClientKey, k.ServerKey, k.ClientIV, k.ServerIV}, nil)
	if got := hex.EncodeToString(block); got != vecResumeBlock {
		t.Errorf("key block: got %s want %s", got, vecResumeBlock)
	}
}

// packet is one line of a capture file.
type packet struct {
	fromClient bool
	data       []byte
}

func readCapture(t testing.TB) []packet {
	t.Helper()
	f, err := os.Open("testdata/openconnect-9.01-ocserv-1.1.6-psk.hex")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []packet
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		if who, data, ok := strings.Cut(sc.Text(), " "); ok && who != "#" {
			out = append(out, packet{who == "C", unhex(t, data)})
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// captureExporter is EXPORTER_SECRET of the capture's TLS connection.
const captureExporter = "b7d8c47029cb97070a8febfe71ca7f7eed4d08b3fdf354ce80d88e4ed963a452adcc15b7b96637ae022f088c32f38e19"

var captureAppID = "38847c5046d45f1b62eddb3acd828f273559400452ecef1ac7ee519d36bf45a1"

// captureServer is our server with ocserv's random choices.
func captureServer(t *testing.T, c []packet) *Server {
	t.Helper()
	hello := c[1].data[recordHeaderLen+handshakeHeaderLen:]
	random, sessionID := hello[2:34], hello[35:67]
	s, err := NewServer(ServerConfig{
		Mode: ModePSK, PSK: exportPSK(t, unhex(t, captureExporter)), SessionID: unhex(t, captureAppID),
		Suites: []uint16{SuitePSKAES256GCM}, RecordSizeLimit: true,
		Rand: bytes.NewReader(append(bytes.Clone(random), sessionID...)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var testPeer = netip.MustParseAddrPort("198.51.100.2:4433")

// Our server answers a recorded openconnect exactly as ocserv did, byte by byte,
// up to and including its Finished, but that a flight is one datagram; and it opens
// the data that follows.
func TestServerAnswersRecordedClientLikeOcserv(t *testing.T) {
	t.Parallel()
	c := readCapture(t)
	s := captureServer(t, c)
	var got [][]byte
	for i, p := range c[:7] {
		if !p.fromClient {
			continue
		}
		res := s.Handle(testPeer, bytes.Clone(p.data))
		got = append(got, res.Send...)
		if want := i == 3; res.Established != want {
			t.Errorf("datagram %d: established got %v want %v", i, res.Established, want)
		}
		if i == 6 && (len(res.Data) != 1 || len(res.Data[0]) != 1435 || res.Data[0][0] != 3) {
			t.Errorf("MTU probe: got %d payloads", len(res.Data))
		}
	}
	want := [][]byte{slices.Concat(c[1].data, c[2].data), slices.Concat(c[4].data, c[5].data)}
	if len(got) != len(want) {
		t.Fatalf("got %d datagrams want %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("datagram %d: got %x want %x", i, got[i], want[i])
		}
	}
}

func TestRecordedServerDataOpens(t *testing.T) {
	t.Parallel()
	c := readCapture(t)
	s := captureServer(t, c)
	s.Handle(testPeer, bytes.Clone(c[0].data))
	s.Handle(testPeer, bytes.Clone(c[3].data))
	a := s.Association()
	if a == nil {
		t.Fatal("no association")
	}
	// The server's echo of the MTU probe, opened with its own write key.
	o := &Opener{aead: a.Sealer.aead, suite: a.Sealer.suite, iv: a.Sealer.iv, window: new(window)}
	typ, plain, seq, err := o.Open(bytes.Clone(c[7].data))
	if err != nil || typ != TypeApplicationData || seq != 1 || plain[0] != 4 || len(plain) != 1435 {
		t.Fatalf("echo: type %d seq %d length %d, %v", typ, seq, len(plain), err)
	}
}
