package client

const device = "win" // what servers are told this machine is
