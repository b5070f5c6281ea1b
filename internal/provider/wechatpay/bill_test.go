package wechatpay

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/payment"
)

func TestABillTellsOfRefundsThatSucceeded(t *testing.T) {
	t.Parallel()
	const head = "交易时间,微信订单号,商户订单号,交易状态,商户退款单号,退款状态,订单金额,申请退款金额,手续费\n"
	line := func(state, no, back string) string {
		return "`2026-11-22 10:00:00,`4200,`S1,`" + state + ",`" + no + ",`" + back + ",`1.00,`0.50,`0.01000\n"
	}
	text := head + line("SUCCESS", "0", "") + line("REFUND", "R1", "SUCCESS") + line("REFUND", "R2", "PROCESSING") + line("REFUND", "R3", "") + line("REVOKED", "0", "") + "总交易单数\n`5\n"
	var got []string
	err := readBill(strings.NewReader(text), func(r payment.BillRow) error {
		got = append(got, r.RefundNo+" "+r.Amount.String()+" "+r.Fee.String())
		return nil
	})
	if want := " 1.00 0.01|R1 0.50 0.01|R3 0.50 0.01"; err != nil || strings.Join(got, "|") != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestAPackedFileIsReadAndOneThatIsNotToo(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte("bill"))
	_ = z.Close()
	for name, file := range map[string][]byte{"packed": b.Bytes(), "plain": []byte("bill")} {
		r, err := unpacked(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != "bill" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
	if r, err := unpacked(bytes.NewReader(b.Bytes()[:len(b.Bytes())-6])); err == nil {
		if _, err := io.ReadAll(r); err == nil {
			t.Error("a file that is cut short is whole")
		}
	}
	if _, err := unpacked(bytes.NewReader([]byte{0x1f, 0x8b, 0})); err == nil {
		t.Error("what only begins like one is read")
	}
}
