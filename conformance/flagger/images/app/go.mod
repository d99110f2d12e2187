module tulle.dev/conformance/flagger/app

go 1.26
