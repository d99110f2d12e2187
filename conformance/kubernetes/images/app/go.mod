module tulle.test/app

go 1.26
