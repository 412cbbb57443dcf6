// HotglueProcess
