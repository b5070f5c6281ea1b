package openconnect

import "testing"

func TestTunnelMTU(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base int
		v6   bool
		c    TunnelCipher
		want int
		fits bool
	}{
		{1500, false, CipherGCM, 1434, true},
		{1500, true, CipherGCM, 1414, true},
		{1500, false, CipherChaCha, 1442, true},
		{1500, true, CipherChaCha, 1422, true},
		{1346, false, CipherGCM, 1280, true},
		{1345, false, CipherGCM, 1279, false},
		{1366, true, CipherGCM, 1280, true},
		{1365, true, CipherGCM, 1279, false},
		{1280, false, CipherGCM, 1214, false},
		{9000, false, CipherGCM, 8934, true},
		{100, false, CipherGCM, 576, false},
		{0, true, CipherGCM, 576, false},
		{-1 << 31, true, CipherGCM, 576, false},
	} {
		if got := TunnelMTU(c.base, c.v6, c.c); got != c.want || FitsIPv6(got) != c.fits {
			t.Errorf("%+v: got %d fits %v", c, got, FitsIPv6(got))
		}
	}
}

func TestClampBaseMTU(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ client, link, want int }{
		{1500, 1500, 1500},
		{1406, 1500, 1406},
		{9000, 1500, 1500},
		{9000, 9000, 9000},
		{1279, 1500, 1280},
		{576, 1500, 1280},
		{-5, 1500, 1500},
		{0, 1400, 1400},
		{0, 0, 1500},
		{65536, 0, 1500},
		{1500, 1200, 1200},
	} {
		if got := ClampBaseMTU(c.client, c.link); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
