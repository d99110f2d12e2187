module tulle.test/smi-app

go 1.26
