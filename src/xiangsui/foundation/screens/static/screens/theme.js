(()=>{try{let e=localStorage.getItem("xiangsui-theme");e&&(document.documentElement.dataset.theme=e)}catch{}document.documentElement.classList.add("js");})();
