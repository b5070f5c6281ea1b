// Package crash kills the processes of a demonstration with SIGKILL at each
// named fault point of the path, while a customer walks it, and then looks
// whether anything was lost or done twice. It needs root, openconnect and
// iproute2, and runs by
//
//	go test -tags fault ./test/crash/...
//
// Without root it fails; nothing is skipped. The tests run in network, mount
// and process namespaces of their own, so that neither another demonstration
// on the machine nor anything that is left behind matters.
//
// A point is armed by a file of its name before the step of the walk that
// comes to it; the process that dies there removes the file first. The points
// of taking a payment notice are tried one by one in internal/control/payment.
package crash
