package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

// batchRig has a server with room for 4 x 5 clients.
func batchRig(t *testing.T) (r vpnRig, server string) {
	t.Helper()
	r = newVPNRig(t)
	settings := map[string]any{"gateway": r.gateway(t, "acc_alice"), "name": "office", "pool": "10.9.0.0/24", "local_subnets": []string{"172.20.0.0/16"}}
	return r, r.want(t, 201, "alice", "POST", "/ssl-servers", settings)["id"].(string)
}

// told is "row name column code" of each row that an answer tells of.
func told(t *testing.T, answer map[string]any) (rows []string, ids int) {
	t.Helper()
	for _, one := range answer["items"].([]any) {
		m := one.(map[string]any)
		text := func(k string) string { s, _ := m[k].(string); return s }
		if text("id") != "" {
			ids++
		}
		if (text("code") == "") != (text("message") == "") {
			t.Errorf("code and message: got %v", m)
		}
		rows = append(rows, strings.TrimSpace(fmt.Sprintf("%v %s %s %s", m["row"], text("name"), text("column"), text("code"))))
	}
	return rows, ids
}

func TestABatchTellsOfEveryRow(t *testing.T) {
	t.Parallel()
	r, server := batchRig(t)
	r.want(t, 201, "alice", "POST", "/ssl-clients", map[string]any{"server": server, "name": "taken"})
	table := "\uFEFFName,up_kbps,fixed_ip,two_factor_exempt,max_sessions,expires_at,state\r\n" +
		"zhang.san,2000,10.9.0.9,是,2,2027-12-31,enabled\r\n" +
		"\r\n" +
		"\"李四\",,,,,,\r\n" +
		"taken,,,,,,\r\n" +
		"=cmd|' /C calc'!A0,,,,,,\r\n" +
		"zhang.san,,,,,,\r\n" +
		"slow,1,,,,,\r\n" +
		"fast,x,,,,,\r\n" +
		"outside,,10.1.0.1,,,,\r\n" +
		"nowhere,,10.9.0.,,,,\r\n" +
		"same,,10.9.0.9,,,,\r\n" +
		"many,,,,11,,\r\n" +
		"late,,,,,soon,\r\n" +
		"odd,,,,,,asleep\r\n" +
		",,,maybe,,,\r\n" +
		"long,,,,,,,more\r\n" +
		"off,,,no,,2027-12-31T00:00:00Z,disabled\r\n"
	want := []string{
		"2 zhang.san", "4 李四", "5 taken name vpn.name_duplicate", "6 =cmd|' /C calc'!A0 name vpn.name_invalid", "7 zhang.san name api.csv_twice",
		"8 slow  vpn.rate_invalid", "9 fast up_kbps api.csv_value", "10 outside fixed_ip vpn.fixed_ip_invalid", "11 nowhere fixed_ip vpn.fixed_ip_invalid",
		"12 same fixed_ip api.csv_twice", "13 many max_sessions api.csv_value", "14 late expires_at api.csv_value", "15 odd state api.csv_value",
		"16  two_factor_exempt api.csv_value", "17 long 8 api.csv_value", "18 off",
	}
	body := map[string]any{"server": server, "csv": table, "dry_run": true}
	rows, ids := told(t, r.want(t, 200, "alice", "POST", "/ssl-clients/batch", body))
	if d := cmp.Diff(want, rows); d != "" || ids != 0 {
		t.Errorf("checked (-want +got), %d made:\n%s", ids, d)
	}
	body["dry_run"] = false
	rows, ids = told(t, r.want(t, 200, "alice", "POST", "/ssl-clients/batch", body))
	if d := cmp.Diff(want, rows); d != "" || ids != 3 {
		t.Errorf("made %d (-want +got):\n%s", ids, d)
	}
	r.want(t, 404, "mallory", "POST", "/ssl-clients/batch", body)
	body["dry_run"] = true
	r.want(t, 404, "mallory", "POST", "/ssl-clients/batch", body)
	r.want(t, 401, "", "POST", "/ssl-clients/batch", body)
}

// TestABatchSaysAllThatASingleClientMay: a table that leaves out a column that
// a server demands would make people who cannot sign in.
func TestABatchSaysAllThatASingleClientMay(t *testing.T) {
	t.Parallel()
	r, server := batchRig(t)
	r.want(t, 200, "alice", "PATCH", "/ssl-servers/"+server, map[string]any{"groups": []map[string]any{{"name": "staff"}, {"name": "ops"}}})
	table := "name,groups,token_kind,routes,daily_quota_bytes,monthly_quota_bytes,device_approval\r\n" +
		"zhang.san,staff ops,STOKEN,10.88.0.0/24 10.89.0.0/24,1000,2000,yes\r\n" +
		"li.si,nobody,,,,,\r\n" +
		"wang.wu,,rsa,,,,\r\n" +
		"zhao.liu,,,10.88.0.0/25,,,\r\n" +
		"qian.qi,,,,-1,,\r\n"
	rows, ids := told(t, r.want(t, 200, "alice", "POST", "/ssl-clients/batch", map[string]any{"server": server, "csv": table}))
	want := []string{
		"2 zhang.san", "3 li.si groups vpn.group_unknown", "4 wang.wu token_kind api.csv_value", "5 zhao.liu routes vpn.route_conflict",
		"6 qian.qi daily_quota_bytes api.csv_value",
	}
	if d := cmp.Diff(want, rows); d != "" || ids != 1 {
		t.Fatalf("made %d (-want +got):\n%s", ids, d)
	}
	made := r.want(t, 200, "alice", "GET", "/ssl-clients?server="+server, nil)["items"].([]any)[0].(map[string]any)
	for field, want := range map[string]any{
		"groups": []any{"staff", "ops"}, "token_kind": "stoken", "routes": []any{"10.88.0.0/24", "10.89.0.0/24"},
		"daily_quota_bytes": 1000.0, "monthly_quota_bytes": 2000.0, "device_approval": true,
	} {
		if d := cmp.Diff(want, made[field]); d != "" {
			t.Errorf("%s (-want +got):\n%s", field, d)
		}
	}
}

func TestABatchStopsAtTheQuota(t *testing.T) {
	t.Parallel()
	r, server := batchRig(t)
	var table strings.Builder
	table.WriteString("name;max_sessions\n")
	for i := range 22 {
		fmt.Fprintf(&table, "client-%d;1\n", i)
	}
	for _, dry := range []bool{true, false} {
		rows, ids := told(t, r.want(t, 200, "alice", "POST", "/ssl-clients/batch", map[string]any{"server": server, "csv": table.String(), "dry_run": dry}))
		if rows[19] != "21 client-19" || rows[20] != "22 client-20  vpn.quota_exceeded" || (ids == 20) == dry {
			t.Errorf("dry %v: got %v, %d made", dry, rows[18:], ids)
		}
	}
}

func TestATableThatIsNoneIsRefusedWhole(t *testing.T) {
	t.Parallel()
	r, server := batchRig(t)
	for what, c := range map[string]struct{ table, code string }{
		"empty": {"", "vpn.batch_size"}, "no row": {"name\n", "vpn.batch_size"}, "no name": {"up_kbps\n1\n", "api.csv_column"},
		"unknown column": {"name,password\na,b\n", "api.csv_column"}, "a column twice": {"name,name\na,b\n", "api.csv_column"},
		"quotes": {"name\n\"abc\n", "api.csv_malformed"}, "another encoding": {"name\n\xd5\xc5\xc8\xfd\n", "api.csv_not_utf8"},
		"501 rows": {"name\n" + strings.Repeat("abc\n", 501), "vpn.batch_size"},
	} {
		if got := r.want(t, 422, "alice", "POST", "/ssl-clients/batch", map[string]any{"server": server, "csv": c.table})["code"]; got != c.code {
			t.Errorf("%s: got %v, want %s", what, got, c.code)
		}
	}
}

func TestEveryReasonIsWordedForPeople(t *testing.T) {
	t.Parallel()
	for _, lang := range i18n.Languages {
		seen := map[string]bool{}
		for _, reason := range gwlink.Reasons {
			code := "vpn.ended_" + strings.ReplaceAll(reason, "-", "_")
			text, ok := i18n.Codes(lang)[code]
			if !ok || seen[text] || len(reason) > 40 {
				t.Errorf("%s in %s: got %q", reason, lang, text)
			}
			seen[text] = true
		}
	}
}
