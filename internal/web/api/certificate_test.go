package api_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// pair is a self-signed server certificate and its key, PEM.
func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "vpn.example.com"}, DNSNames: []string{"vpn.example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(20 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	check(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	check(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

func TestTheLifeOfAnUploadedCertificate(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	certificate, key := pair(t)
	upload := map[string]any{"name": "office", "type": "server", "certificate_pem": certificate, "private_key_pem": key}
	made := r.want(t, 201, "alice", "POST", "/certificates", upload)
	id := made["id"].(string)
	if made["state"] != "expiring" || made["subject"] != "CN=vpn.example.com" || made["has_key"] != true || made["serial"] != "5" {
		t.Errorf("got %v", made)
	}
	for _, gone := range []string{"private_key_pem", "key"} {
		if _, there := made[gone]; there {
			t.Errorf("the answer has a field %s", gone)
		}
	}
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{
		"gateway": r.gateway(t, "acc_alice"), "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}, "certificate": id,
	})
	if names := server["server_names"].([]any); names[0] != "vpn.example.com" || server["certificate"] != id {
		t.Errorf("got %v, %v", names, server["certificate"])
	}
	if got := r.want(t, 409, "alice", "DELETE", "/certificates/"+id, nil); got["code"] != "vpn.certificate_in_use" || !strings.Contains(got["title"].(string), server["id"].(string)) {
		t.Errorf("in use: got %v", got)
	}
	for format, kind := range map[string]string{"pem": "application/x-pem-file", "der": "application/pkix-cert", "zip": "application/zip"} {
		status, out, header := r.call(t, "alice", "GET", "/certificates/"+id+"/download?format="+format, nil)
		if body := string(out[""].([]byte)); status != 200 || header.Get("Content-Type") != kind || strings.Contains(body, "PRIVATE") || body == "" {
			t.Errorf("%s: got %d %s", format, status, header.Get("Content-Type"))
		}
	}
	r.want(t, 200, "alice", "PATCH", "/ssl-servers/"+server["id"].(string), map[string]any{"certificate": ""})
	if got := r.want(t, 200, "alice", "PATCH", "/certificates/"+id, map[string]any{"name": "old"}); got["name"] != "old" {
		t.Errorf("renamed: got %v", got["name"])
	}
	r.want(t, 204, "alice", "DELETE", "/certificates/"+id, nil)
	for kind, code := range map[string]string{"client": "vpn.certificate_client_upload", "gm-sign": "vpn.certificate_gm_unsupported", "client-ca": "vpn.certificate_key_unwanted"} {
		upload["type"] = kind
		if got := r.want(t, 422, "alice", "POST", "/certificates", upload); got["code"] != code {
			t.Errorf("%s: got %v, want %s", kind, got["code"], code)
		}
	}
}

func TestAClientsCertificateIsRenewedAndRevoked(t *testing.T) {
	t.Parallel()
	r := newVPNRig(t)
	server := r.want(t, 201, "alice", "POST", "/ssl-servers", map[string]any{"gateway": r.gateway(t, "acc_alice"), "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}})
	client := r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server["id"], "name": "router-1"})["id"].(string)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
	check(t, err)
	csr := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
	next := r.want(t, 200, "alice", "POST", "/ssl-clients/"+client+"/reissue-certificate", map[string]any{"csr_pem": csr})
	block, _ := pem.Decode([]byte(next["certificate_pem"].(string)))
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil || !k.PublicKey.Equal(leaf.PublicKey) {
		t.Errorf("the new certificate is for another key: %v", err)
	}
	r.want(t, 422, "alice", "POST", "/ssl-clients/"+client+"/reissue-certificate", map[string]any{"csr_pem": "text"})
	var states []string
	for _, item := range r.want(t, 200, "alice", "GET", "/certificates?type=client&client="+client, nil)["items"].([]any) {
		c := item.(map[string]any)
		if c["serial"] == next["serial"] {
			got := r.want(t, 200, "alice", "POST", "/certificates/"+c["id"].(string)+"/revoke", nil)
			states = append(states, got["state"].(string))
			continue
		}
		if c["retire_at"] == nil {
			t.Error("the former one does not say when it ends")
		}
		states = append(states, c["state"].(string))
	}
	slices.Sort(states)
	if !slices.Equal(states, []string{"revoked", "valid"}) {
		t.Errorf("got %v", states)
	}
}
